"""The store's back office, which there is on ferrapi only: imports, rules, versions and what is counted once."""

import asyncio
import importlib
import socket
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from example_server import ROOT, Server
from ferrapi.testclient import TestClient
from store_client import DENVER, STAFF, log_in, opened, settings_of

from examples.store.office.statistics import Statistics, open_statistics
from examples.store.repositories import products

CLERK = "clerk@shop.example.com"
COLUMNS = "sku,cut,color,clarity,carat,price,stones"
PRODUCTS = (ROOT / "examples/store/data/products.csv").read_text(encoding="utf-8")
FIRST, *_ = LINES = PRODUCTS.splitlines()[1:]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a shop whose catalogue stays as it is."""
    with opened(tmp_path_factory.mktemp("office") / "store.sqlite3", import_rows=900) as client:
        yield client


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a shop of its own."""
    with opened(tmp_path / "store.sqlite3", report_age=timedelta(hours=1)) as client:
        yield client


def upload(client: httpx2.Client, text: str | bytes, account: str = STAFF) -> httpx2.Response:
    """Imports a catalogue."""
    return client.post("/office/catalogue", files={"file": ("new.csv", text)}, headers=log_in(client, account))


def report(client: httpx2.Client, version: str | None = None, account: str = STAFF) -> httpx2.Response:
    """Asks for the stock."""
    named = {} if version is None else {"Accept-Version": version}
    return client.get("/office/stock", headers={**log_in(client, account), **named})


def test_an_import_adds_changes_and_counts_what_is_as_it_was(fresh: TestClient) -> None:
    assert upload(fresh, PRODUCTS).json() == {"added": 0, "changed": 0, "unchanged": 857}
    sku, *rest = FIRST.split(",")
    changed = ",".join([sku, *rest[:-1], "7"])
    added = ",".join(["NEW-1", *rest])
    answer = upload(fresh, "\n".join([COLUMNS, changed, added, LINES[1]]))
    assert answer.json() == {"added": 1, "changed": 1, "unchanged": 1}
    assert fresh.get(f"/products/{sku}").json()["stock"] == 7
    assert fresh.get("/products/NEW-1").json()["name"] == fresh.get(f"/products/{sku}").json()["name"]
    audit = fresh.get("/admin/audit", params={"subject": "catalogue"}, headers=log_in(fresh, STAFF)).json()
    assert [entry["detail"] for entry in audit] == ["1 added, 1 changed", "0 added, 0 changed"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no product in the file"),
        (COLUMNS, "there is no product in the file"),
        (f"{COLUMNS}\n{FIRST}\n{FIRST}", f"line 3: {FIRST.split(',')[0]} is there twice"),
        (f"{COLUMNS}\nA-1,Fair,D,SI1,0.71,much,30", "line 2: a number is missing, or is none"),
        (f"{COLUMNS}\nA-1,Fair,D,SI1", "line 2: a number is missing, or is none"),
        ("sku,cut\nA-1,Fair", "line 2: there is no column color"),
        (
            f"{COLUMNS}\nA-1,Fair,Z,SI1,0.71,1.00,30",
            "line 2: color: Input should be 'D', 'E', 'F', 'G', 'H', 'I' or 'J'",
        ),
        (f"{COLUMNS}\nA-1,Fair,D,SI1,0.71,NaN,30", "line 2: price: Input should be a finite number"),
        (b"\xff\xfe", "line 0: this is not UTF-8"),
        (
            "\n".join([COLUMNS, *(FIRST.replace("FA-", f"N{n}-", 1) for n in range(901))]),
            "there are more than 900 products",
        ),
    ],
)
def test_a_file_that_is_no_catalogue_changes_nothing(client: TestClient, text: str | bytes, message: str) -> None:
    answer = upload(client, text)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        {"code": "bad_catalogue", "message": message, "lines": []},
    )
    assert client.get("/search").json()["total"] == 857


def test_only_administrators_import_and_only_the_staff_sees_reports(client: TestClient) -> None:
    accounts = (DENVER, CLERK, STAFF)
    assert [upload(client, PRODUCTS, account).status_code for account in accounts] == [403, 403, 200]
    assert [report(client, account=account).status_code for account in accounts] == [403, 200, 200]
    nobody = client.get("/office/stock")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")


def test_the_two_versions_tell_the_same_stock(client: TestClient) -> None:
    old, new, unnamed = (report(client, version) for version in ("1", "2", None))
    assert new.json() == unnamed.json()
    assert old.json() == {one["category"]: one["stones"] for one in new.json()["categories"]}
    assert sum(one["products"] for one in new.json()["categories"]) == 857
    rows = [line.split(",") for line in LINES]
    worth = {one["category"]: float(one["value"]) for one in new.json()["categories"]}
    assert worth == {cut: sum(float(row[5]) * int(row[6]) for row in rows if row[1] == cut) for cut in worth}


def test_the_first_version_says_that_it_ends(client: TestClient) -> None:
    headers = report(client, "1").headers
    assert (headers["deprecation"], headers["sunset"]) == ("@1788220800", "Wed, 01 Sep 2027 00:00:00 GMT")
    assert headers["link"] == '</office/v2/docs>; rel="successor-version"'
    assert "deprecation" not in report(client, "2").headers
    unknown = report(client, "3")
    assert (unknown.status_code, unknown.json()["detail"]) == (
        400,
        "There is no version '3' of the API. There are: 1, 2.",
    )


def test_the_office_has_a_document_for_each_version_and_logs_in_on_its_pages(client: TestClient) -> None:
    first, second = (client.get(f"/office/v{version}/openapi.json").json() for version in "12")
    assert list(first["paths"]) == list(second["paths"]) == ["/catalogue", "/stock"]
    assert (first["paths"]["/stock"]["get"]["deprecated"], second["paths"]["/stock"]["get"].get("deprecated")) == (
        True,
        None,
    )
    assert {"401", "403", "429"} <= second["paths"]["/catalogue"]["post"]["responses"].keys()
    flow = second["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]
    form = {"username": STAFF, "password": "brilliant-cut"}
    assert client.post(f"/office/{flow['tokenUrl']}", data=form).json()["token_type"] == "bearer"
    assert client.get("/office/v1/docs").status_code == 200
    assert not [path for path in client.get("/openapi.json").json()["paths"] if "office" in path]


def test_the_stock_is_counted_once_until_an_import(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    count = products.stock_by_category

    async def counting(session: Any) -> Any:
        counted.append(session)
        return await count(session)

    monkeypatch.setattr(products, "stock_by_category", counting)
    before = [report(fresh, version).json() for version in ("2", "1", "2")]
    assert (len(counted), before[0]) == (1, before[2])
    upload(fresh, "\n".join([COLUMNS, FIRST.replace("FA-", "NEW-", 1)]))
    assert report(fresh).json() != before[0]
    assert len(counted) == 2


class _Slow:
    """A database whose sessions are never there."""

    def __init__(self) -> None:
        self.asked = self.left = 0

    @asynccontextmanager
    async def sessions(self) -> Any:
        self.asked += 1
        try:
            await asyncio.Event().wait()
            yield None
        finally:
            self.left += 1


async def _stopped_while_counting(database: Any) -> list[Any]:
    opening = open_statistics()
    statistics = await anext(opening)
    asking = [asyncio.create_task(statistics.current(database, timedelta(hours=1))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    assert database.left == 0  # who leaves ends it for nobody else
    await opening.aclose()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_what_is_still_counting_is_cancelled_when_the_application_stops() -> None:
    database = _Slow()
    ended = asyncio.run(_stopped_while_counting(database))
    assert [type(one) for one in ended] == [asyncio.CancelledError] * 3
    assert (database.asked, database.left) == (1, 1)


def test_a_count_that_failed_is_tried_again() -> None:
    class Broken:
        asked = 0

        def sessions(self) -> None:
            self.asked += 1
            raise OSError("no route to the database")

    async def count(database: Any) -> None:
        statistics = Statistics()
        for _ in range(2):
            with pytest.raises(OSError, match="no route"):
                await statistics.current(database, timedelta(hours=1))

    database = Broken()
    asyncio.run(count(database))
    assert database.asked == 2


def test_there_is_no_office_on_fastapi(tmp_path: Path) -> None:
    on_fastapi = importlib.import_module("benchmarks.apps.on_fastapi.store.main")
    app = on_fastapi.create_app(settings_of(tmp_path / "shop.sqlite3"))
    assert [route for route in app.routes if getattr(route, "path", "") == "/office"] == []


def exchange(server: Server, headers: dict[str, str]) -> bytes:
    """Announces an upload of a gigabyte, waits for a ``100 Continue``, and returns what comes in place of it."""
    address = urlsplit(server.url)
    lines = ["POST /office/catalogue HTTP/1.1", "Host: shop", "Expect: 100-continue", f"Content-Length: {2**30}"]
    lines += ["Content-Type: multipart/form-data; boundary=b", *(f"{name}: {value}" for name, value in headers.items())]
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(65536)


def test_who_is_not_let_in_is_refused_before_the_upload(shop: Server) -> None:
    assert exchange(shop, {}).startswith(b"HTTP/1.1 401 ")
    assert exchange(shop, log_in(shop.client, DENVER)).startswith(b"HTTP/1.1 403 ")
    assert exchange(shop, log_in(shop.client, STAFF)).startswith(b"HTTP/1.1 100 ")


def test_a_served_store_imports_and_reports(shop: Server) -> None:
    assert upload(shop.client, PRODUCTS).json() == {"added": 0, "changed": 0, "unchanged": 857}
    assert sum(report(shop.client, "1", CLERK).json().values()) == sum(int(line.split(",")[6]) for line in LINES)
