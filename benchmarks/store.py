"""Measures the store example on FastAPI and on ferrapi, with its database: `python -m benchmarks.store --help`.

All ways serve the same database, one at a time. Before a request is measured, its answers are compared with FastAPI's.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from examples.store.database import Database
from examples.store.security.tokens import issue_token
from examples.store.seed import prepare
from examples.store.settings import Settings

from .asgi import WrongAnswer
from .cases import Exchange
from .load import wrk
from .load.report import table
from .load.rounds import CaseResult
from .load.server import ServerDidNotStart
from .shapes.cases import Shape
from .shapes.measure import CONTROL, measure_shape

SECRET = "the secret of a benchmark, and no other's"
STAFF, CUSTOMER = 1, 40
"""The numbers of two accounts of the sample data."""
WAYS = {"fastapi": "FastAPI", "asgi": "ferrapi, ASGI", "protocol": "ferrapi, protocol"}
SKUS = tuple(
    f"{cut}-{color}-{clarity}" for cut in ("ID", "PR") for color in "DEFG" for clarity in ("VS2-000", "SI1-050")
)


def _headers(account: int) -> dict[str, str]:
    token = issue_token(account, timedelta(days=1), SECRET)
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _order(n: int) -> bytes:
    """An order of ten lines that asks for more than there is of each."""
    lines = [{"sku": sku, "quantity": 1000, "unit_price": "1.00"} for sku in SKUS[:10]]
    address = {"name": "Benchmark", "line1": f"{n} Main Street", "city": "Denver", "country": "USA"}
    return json.dumps({"reference": f"B-{n}", "ship_to": address, "lines": lines}).encode()


def _shape(name: str, title: str, make: Callable[[int], Exchange]) -> Shape:
    return Shape(name, title, tuple(make(n) for n in range(len(SKUS))), frozenset(), app="app", module="shop")


SHAPES = (
    _shape("live", "`GET /health`: no database, for scale", lambda n: Exchange("GET", f"/health?n={n}")),
    _shape(
        "product", "`GET /v2/products/{sku}`: one row by its key", lambda n: Exchange("GET", f"/v2/products/{SKUS[n]}")
    ),
    _shape(
        "search",
        "`GET /v1/search`: two conditions, count and a page of 20 rows through a response model",
        lambda n: Exchange("GET", f"/v1/search?q=ideal&min_price={500 + n}&sort=-price"),
    ),
    _shape(
        "orders",
        "`GET /v2/orders`: token, customer, count and a page with its lines",
        lambda n: Exchange("GET", f"/v2/orders?limit={5 + n}", headers=_headers(CUSTOMER)),
    ),
    _shape(
        "refused",
        "`POST /v1/orders`: token, customer, ten lines validated, their rows locked; refused (409), rolled back",
        lambda n: Exchange("POST", "/v1/orders", headers=_headers(CUSTOMER), body=_order(n)),
    ),
    _shape(
        "change",
        "`PATCH /v1/products/{sku}`: token, role, row locked, changed, read again, committed",
        lambda n: Exchange("PATCH", f"/v1/products/{SKUS[n]}", headers=_headers(STAFF), body=b'{"stock": 7}'),
    ),
)
BY_NAME = {shape.name: shape for shape in SHAPES}


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty database: SQLite in a temporary folder, Debian's PostgreSQL, or the one that is named."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="benchmark-store-") as folder:
            yield f"sqlite:///{folder}/shop.sqlite3"
    elif kind == "postgresql":
        from tests.examples.services import postgres

        with postgres() as url:
            yield url
    else:
        yield kind


async def _fill(settings: Settings) -> None:
    opened = Database(settings.sqlalchemy_url())
    await prepare(opened, settings)
    await opened.close()


def report(results: Sequence[CaseResult]) -> str:
    """A table: CPU time of the server per request and requests per second, and FastAPI's CPU time as a multiple."""
    head = ["request", *(f"{title}: CPU µs, requests/s" for title in WAYS.values()), "FastAPI ÷ ASGI", "÷ protocol"]
    rows = []
    for result in results:
        row = [result.case.title]
        row += [f"{result.median(way, 'cpu'):,.0f}, {result.median(way, 'per_second'):,.0f}" for way in WAYS]
        row += [f"{result.ratio(CONTROL, way, 'cpu')[0]:.2f}" for way in ("asgi", "protocol")]
        rows.append(row)
    return table(head, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (Debian's is started), or an address")
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--out", type=Path, help="a Markdown file for the table, which docs/performance.md takes")
    return parser.parse_args()


def main() -> int:
    """Measure; 1 if an answer was wrong or something could not be run."""
    arguments = _arguments()
    results = []
    with database(arguments.database) as url, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"STORE_DATABASE_URL": url, "STORE_TOKEN_SECRET": SECRET}
        asyncio.run(_fill(Settings()))
        try:
            wrk.version()
            for name in arguments.case or BY_NAME:
                shape = BY_NAME[name]
                results.append(measure_shape(shape, list(WAYS), arguments.rounds, arguments.seconds, Path(folder)))
        except (WrongAnswer, wrk.LoadFailed, ServerDidNotStart) as error:
            print(error, file=sys.stderr)
            return 1
    text = report(results)
    print(text)
    if arguments.out:
        arguments.out.write_text(f"# {arguments.out.stem}\n\n{text}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
