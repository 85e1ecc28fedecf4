"""The two versions of the store's API, by path and by header."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ferrapi.testclient import TestClient
from store_client import DENVER, TEN_LINES, line, log_in, opened, order

SECOND = {"Accept-Version": "2"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a shop."""
    with opened(tmp_path_factory.mktemp("versions") / "shop.sqlite3") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "version"),
    [("/products/ID-D-IF-050", "1"), ("/products/ID-D-IF-050", "2"), ("/products?limit=3&cut=Ideal", "2")],
)
def test_a_header_and_a_path_name_the_same_version(client: TestClient, path: str, version: str) -> None:
    by_path = client.get(f"/v{version}{path}")
    by_header = client.get(path, headers={"Accept-Version": version})
    assert by_path.status_code == 200
    assert by_header.json() == by_path.json()
    assert (by_header.headers["API-Version"], by_header.headers["Vary"]) == (version, "Accept-Version")
    assert "Vary" not in by_path.headers


def test_without_a_version_it_is_the_first(client: TestClient) -> None:
    assert client.get("/products/ID-D-IF-050").json() == client.get("/v1/products/ID-D-IF-050").json()
    assert client.get("/v1/products/ID-D-IF-050", headers=SECOND).json()["price"] == "4208.00"


@pytest.mark.parametrize("version", ["3", "", "two", "1, 2", "é"])
def test_a_version_that_there_is_not_is_refused(client: TestClient, version: str) -> None:
    answer = client.get("/search", headers={b"Accept-Version": version.encode()})
    assert (answer.status_code, "there are 1, 2" in answer.json()["detail"]) == (400, True)
    assert client.get("/health", headers={b"Accept-Version": version.encode()}).status_code == 200


@pytest.mark.parametrize(("currency", "amount"), [("USD", "4208.00"), ("EUR", "3787.20"), ("JPY", "631200")])
def test_the_second_version_has_one_price(client: TestClient, currency: str, amount: str) -> None:
    product = client.get("/v2/products/ID-D-IF-050", headers={"X-Currency": currency}).json()
    assert product["price"] == {"amount": amount, "currency": currency}


def test_lists_of_the_second_version_say_where_they_go_on(client: TestClient) -> None:
    path, seen = "/v2/products?cut=Ideal&sort=carat&limit=75", []
    while path:
        page = client.get(path).json()
        seen += [item["sku"] for item in page["items"]]
        path = page["next"]
    assert (page["total"], len(seen), len(set(seen))) == (202, 202, 202)
    by_header = client.get("/products?limit=1", headers=SECOND).json()
    assert by_header["next"] == "/v2/products?limit=1&offset=1"


def test_an_order_of_the_second_version_needs_no_reference_and_is_the_firsts_too(client: TestClient) -> None:
    denver = log_in(client, DENVER)
    body = {"ship_to": TEN_LINES["ship_to"], "lines": [line("ID-D-IF-050", 1, "4208.00")]}
    assert client.post("/v1/orders", json=body, headers=denver).status_code == 422
    placed = client.post("/v2/orders", json=body, headers=denver)
    content = placed.json()
    assert placed.headers["Location"] == content["links"]["self"] == f"/v2/orders/{content['id']}"
    assert content["total"] == {"amount": "4208.00", "currency": "USD"}
    first = client.get(f"/v1/orders/{content['id']}", headers=denver).json()
    assert (first["total"], first["reference"]) == ("4208.00", content["reference"])
    (listed,) = client.get("/v2/orders?limit=1", headers=denver).json()["items"]
    assert listed == {key: content[key] for key in listed}
    cancelled = client.post(content["links"]["cancel"], headers=denver)
    assert cancelled.json()["status"] == "cancelled"
    assert "cancel" not in client.get(content["links"]["self"], headers=denver).json()["links"]


def test_a_reference_of_ones_own_is_kept(client: TestClient) -> None:
    body = order([line("ID-D-IF-050", 1, "4208.00")])
    answers = [client.post("/v2/orders", json=body, headers=log_in(client, DENVER)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[0].json()["reference"] == body["reference"]


def test_below_a_root_path_versions_are_where_they_are(tmp_path: Path) -> None:
    with opened(tmp_path / "shop.sqlite3") as client:
        below = TestClient(client.app, root_path="/shop")
        answers = [
            below.get("/shop/products/ID-D-IF-050", headers=SECOND),
            below.get("/shop/v2/products/ID-D-IF-050"),
            below.get("/products/ID-D-IF-050", headers=SECOND),
        ]
        assert [answer.json()["available"] for answer in answers] == [13, 13, 13]
        page = below.get("/shop/products?limit=1", headers=SECOND).json()
        assert page["next"] == "/shop/v2/products?limit=1&offset=1"
