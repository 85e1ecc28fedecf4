"""Makes the shop's seed files from two data sets that PyPI wheels carry.

Run it where both wheels are at hand (see ``README.md`` beside this file)::

    pip download --no-deps -d wheels plotnine==0.15.9 vega_datasets==0.9.0
    python examples/store/data/make_data.py wheels

It writes ``products.csv``, ``customers.csv``, ``orders.csv`` and ``order-example.json`` next to itself and needs
nothing but the standard library. The same wheels give the same bytes.
"""

import csv
import hashlib
import io
import json
import statistics
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
CUT_CODES = {"Fair": "FA", "Good": "GO", "Very Good": "VG", "Premium": "PR", "Ideal": "ID"}
CARAT_BANDS = [Decimal(limit) for limit in ("0", "0.5", "1", "1.5", "2")]
FEWEST_STONES = 5
CUSTOMERS = 150
FIRST_ORDER = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

Row = dict[str, str]


def read_csv(wheels: Path, distribution: str, member: str) -> list[Row]:
    """Returns the rows of ``member`` inside the one wheel of ``distribution`` in the folder ``wheels``."""
    (wheel,) = wheels.glob(f"{distribution}-*.whl")
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))


def write_csv(name: str, columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes a seed file with unix line ends."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def hundredths(value: Decimal | float) -> Decimal:
    """Rounds to two decimals, half up, as the shop stores money and carats."""
    return Decimal(str(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def products(stones: list[Row]) -> list[tuple[str, str, str, str, Decimal, Decimal, int]]:
    """Groups single stones into parcels: one product per cut, colour, clarity and carat band.

    Price and carat are the medians of the parcel's stones and the stock is how many stones it has; parcels with fewer
    than ``FEWEST_STONES`` are left out.
    """
    parcels: dict[tuple[str, str, str, Decimal], list[Row]] = defaultdict(list)
    for stone in stones:
        band = max(limit for limit in CARAT_BANDS if limit <= Decimal(stone["carat"]))
        parcels[stone["cut"], stone["color"], stone["clarity"], band].append(stone)
    made = []
    for (cut, color, clarity, band), members in sorted(parcels.items()):
        if len(members) < FEWEST_STONES:
            continue
        sku = f"{CUT_CODES[cut]}-{color}-{clarity}-{int(band * 100):03}"
        carat = hundredths(statistics.median(Decimal(stone["carat"]) for stone in members))
        price = hundredths(statistics.median(Decimal(stone["price"]) for stone in members))
        made.append((sku, cut, color, clarity, carat, price, len(members)))
    return made


def customers(airports: list[Row]) -> list[tuple[str, str, str, str, str, str]]:
    """Makes one trade customer, the airport's jeweller, for each of the first US international airports by code."""
    made = []
    for airport in sorted(airports, key=lambda row: row["iata"]):
        international = "Intl" in airport["name"] or "International" in airport["name"]
        if not international or airport["country"] != "USA" or not airport["iata"].isalpha():
            continue
        code = airport["iata"]
        name = f"{airport['city']} Airport Jewelers ({code})"
        line1 = f"{airport['name']} Airport"
        made.append((f"{code.lower()}@buyers.example.com", name, line1, airport["city"], airport["state"], "USA"))
    return made[:CUSTOMERS]


def pick(key: str, size: int) -> int:
    """Chooses a number below ``size`` that depends on ``key`` alone, so that each run makes the same orders."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % size


def orders(skus: list[str], emails: list[str]) -> list[tuple[str, str, str, str, int]]:
    """Makes three past orders of one to six lines for every fifth customer."""
    made = []
    number = 0
    for email in emails[::5]:
        for _ in range(3):
            number += 1
            reference = f"PO-2026-{number:04}"
            placed = FIRST_ORDER + timedelta(hours=31 * number, minutes=pick(f"{reference} minute", 60))
            chosen = {skus[pick(f"{reference} {line}", len(skus))] for line in range(1 + pick(reference, 6))}
            made += [
                (reference, email, placed.isoformat(), sku, 1 + pick(f"{reference} {sku}", 3)) for sku in sorted(chosen)
            ]
    return made


def example_order(catalogue: list[tuple[str, str, str, str, Decimal, Decimal, int]]) -> dict[str, object]:
    """Makes the ten-line order that the README posts, from well-stocked parcels."""
    stocked = sorted(catalogue, key=lambda product: (-product[6], product[0]))[:10]
    return {
        "reference": "PO-2026-1001",
        "ship_to": {
            "name": "Denver Airport Jewelers (DEN)",
            "line1": "8500 Pena Boulevard",
            "city": "Denver",
            "state": "CO",
            "postal_code": "80249",
            "country": "USA",
        },
        "lines": [
            {"sku": product[0], "quantity": 1 + position % 3, "unit_price": str(product[5])}
            for position, product in enumerate(stocked)
        ],
    }


def main(wheels: Path) -> None:
    """Writes all seed files from the wheels in the folder ``wheels``."""
    catalogue = products(read_csv(wheels, "plotnine", "plotnine/data/diamonds.csv"))
    buyers = customers(read_csv(wheels, "vega_datasets", "vega_datasets/_data/airports.csv"))
    write_csv("products.csv", ["sku", "cut", "color", "clarity", "carat", "price", "stones"], catalogue)
    write_csv("customers.csv", ["email", "name", "line1", "city", "state", "country"], buyers)
    past = orders([product[0] for product in catalogue], [buyer[0] for buyer in buyers])
    write_csv("orders.csv", ["reference", "email", "placed_at", "sku", "quantity"], past)
    body = json.dumps(example_order(catalogue), separators=(",", ":"))
    (HERE / "order-example.json").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
