"""Measures the store example on FastAPI and on ferrapi, with its database: `python -m benchmarks.store --help`.

All ways serve the same database, one at a time. Before a request is measured, its answers are compared with FastAPI's.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from examples.store.database import Database
from examples.store.security.tokens import issue_token
from examples.store.seed import prepare
from examples.store.settings import Settings

from .asgi import WrongAnswer
from .cases import Exchange
from .load import wrk
from .load.report import (
    CPU,
    NOT_THERE,
    RATE,
    Cases,
    Quantity,
    as_data,
    median,
    ratios,
    save,
    table,
    times,
    versions,
)
from .load.rounds import CaseResult
from .shapes.cases import Shape
from .shapes.measure import CONTROL, measure_on, server_of
from .shapes.measure import WAYS as SHAPE_WAYS

SECRET = "the secret of a benchmark, and no other's"
STAFF, CUSTOMER = 1, 40
"""The numbers of two accounts of the sample data."""
METHOD = (
    "CPU time of the server per request: user and system time of its process, without that of {database}, divided by "
    "the requests. uvicorn with uvloop on one core, wrk with one thread and 64 connections on another; *asgi* is "
    "ferrapi under httptools as FastAPI is, *protocol* under `--http ferrapi.server:HttpProtocol`. All serve the same "
    "database, one at a time. {rounds} interleaved rounds of {seconds} s, their order rotating; medians, and in "
    "brackets the smallest and the largest ratio of the rounds. Status, headers and body of every answer were compared "
    "with FastAPI's first; under load every status and body was."
)
KINDS = {"sqlite": "the disk", "postgresql": "PostgreSQL"}
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


def store_table(cases: Cases) -> str:
    """CPU time of the server per request and requests per second in each way, and FastAPI's CPU time as a multiple."""
    ways = [way for way in WAYS if any(way in case for case in cases.values())]
    compared = [way for way in ways if way != CONTROL and CONTROL in ways]
    head = ["request", *(f"{WAYS[way]}: CPU µs" for way in ways), *(f"FastAPI ÷ {way}" for way in compared)]
    head += [f"{WAYS[way]}: requests/s" for way in ways]
    rows = []
    for name, case in cases.items():
        row = [BY_NAME[name].title, *(_median(case, way, CPU) for way in ways)]
        row += [_ratio(case, way) for way in compared]
        rows.append(row + [_median(case, way, RATE) for way in ways])
    return table(head, rows)


def _median(case: dict[str, list[dict[str, float]]], way: str, quantity: Quantity) -> str:
    return f"{median(case[way], quantity.key):,.0f}" if way in case else NOT_THERE


def _ratio(case: dict[str, list[dict[str, float]]], way: str) -> str:
    if way not in case or CONTROL not in case:
        return NOT_THERE
    found = ratios(case, way, CONTROL, CPU)
    return f"{times(statistics.median(found))} ({times(min(found))} to {times(max(found))})"


def page(data: dict[str, Any]) -> str:
    """The Markdown page of a results file."""
    (cases,) = (value for key, value in data.items() if key.startswith("store-"))
    said = "Versions: " + ", ".join(f"{key} {value}" for key, value in data["versions"].items()) + "."
    parts = [f"# {data['date']}: {data['name']}", data["note"], data["method"], store_table(cases), said]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(stem: Path, kind: str, results: Sequence[CaseResult], rounds: int, seconds: int, note: str = "") -> Path:
    """Write `<stem>.json` and `<stem>.md`; returns the latter."""
    method = METHOD.format(rounds=rounds, seconds=seconds, database=KINDS.get(kind, "the database that was named"))
    measured_with = versions([SHAPE_WAYS[way].peer for way in WAYS]) | {
        name: version(name) for name in ("sqlalchemy", "asyncpg", "aiosqlite")
    }
    content = {"note": note, "method": method, "versions": measured_with, f"store-{kind}": as_data(results)}
    return save(stem, content, page)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (Debian's is started), or an address")
    parser.add_argument("--case", action="append", choices=list(BY_NAME), help="may be repeated; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--out", type=Path, metavar="STEM", help="write STEM.json and STEM.md")
    parser.add_argument("--note", default="", help="a sentence for the results")
    return parser.parse_args()


def main() -> int:
    """Measure; 1 if an answer was wrong or something could not be run."""
    arguments = _arguments()
    results, refused = [], 0
    try:
        wrk.version()
    except wrk.LoadFailed as error:
        print(error, file=sys.stderr)
        return 1
    with database(arguments.database) as url, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.environ |= {"STORE_DATABASE_URL": url, "STORE_TOKEN_SECRET": SECRET}
        asyncio.run(_fill(Settings()))
        servers = {way: stack.enter_context(server_of(SHAPES[0], way)) for way in WAYS}
        for name in arguments.case or BY_NAME:
            rounds, seconds = arguments.rounds, arguments.seconds
            try:
                result = measure_on(servers, BY_NAME[name], list(WAYS), rounds, seconds, Path(folder))
            except (WrongAnswer, wrk.LoadFailed) as error:
                print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
                refused += 1
                continue
            results.append(result)
            print(
                f"{name}: " + ", ".join(f"{way} {_median(as_data([result])[name], way, CPU)}" for way in WAYS),
                flush=True,
            )
    print(f"\n{store_table(as_data(results))}")
    if arguments.out and results:
        written = write(arguments.out, arguments.database, results, arguments.rounds, arguments.seconds, arguments.note)
        print("written:", written)
    return int(refused > 0)


if __name__ == "__main__":
    raise SystemExit(main())
