"""Several processes of the store on one PostgreSQL and one Redis: what one does, the others know."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import serve_store  # type: ignore[attr-defined]  # that of this folder
from example_server import Server, new_postgres_database
from services import real_services, redis
from store_client import DENVER, STAFF, TEN_LINES, log_in, opened, order
from websockets.sync.client import connect

pytestmark = real_services


@pytest.fixture(scope="module")
def shops(postgres_server: str, redis_server: str) -> Iterator[list[Server]]:
    """Three processes, started at once on an empty database."""
    limits = {"STORE_REDIS_URL": redis_server, "STORE_RATE_LIMIT": "1000/hour"}
    with new_postgres_database(postgres_server) as url:
        servers = [serve_store(url, transport, limits) for transport in ("asgi", "http1", "asgi")]
        with ThreadPoolExecutor() as pool:
            started = list(pool.map(Server.__enter__, servers))
        try:
            yield started
        finally:
            for server in started:
                server.__exit__(None, None, None)


def test_processes_that_start_together_make_and_fill_the_tables_once(shops: list[Server]) -> None:
    assert [shop.client.get("/search").json()["total"] for shop in shops] == [857] * 3


def test_a_session_of_one_process_goes_on_at_another(shops: list[Server]) -> None:
    first, second, third = shops
    form = {"username": DENVER, "password": "brilliant-cut"}
    token = first.client.post("/login", data=form).json()["refresh_token"]
    renewed = second.client.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token}).json()
    headers = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert third.client.get("/customers/me", headers=headers).json()["email"] == DENVER


def test_an_order_placed_at_one_process_is_told_at_all(shops: list[Server]) -> None:
    staff = log_in(shops[0].client, STAFF)
    addresses = [f"ws{shop.url.removeprefix('http')}/v2/orders/feed" for shop in shops]
    with ExitStack() as stack:
        listening = [
            stack.enter_context(connect(address, additional_headers=staff, proxy=None)) for address in addresses
        ]
        placed = shops[1].client.post(
            "/orders", json=order(TEN_LINES["lines"]), headers=log_in(shops[1].client, DENVER)
        )
        told = [json.loads(feed.recv()) for feed in listening]
    assert [event["order_id"] for event in told] == [placed.json()["id"]] * 3


def test_processes_count_together(shops: list[Server]) -> None:
    left = [int(shop.client.get("/v2/products/ID-D-IF-050").headers["RateLimit-Remaining"]) for shop in shops * 2]
    assert left == list(range(left[0], left[0] - 6, -1))


def test_a_shop_whose_redis_is_gone_sells_all_the_same(tmp_path: Path) -> None:
    with redis() as url:
        pass
    # Nobody listens there any more: from its start this shop has no Redis.
    with opened(tmp_path / "shop.sqlite3", redis_url=url, rate_limit="1/hour") as client:
        denver = log_in(client, DENVER)
        placed = client.post("/orders", json=order(TEN_LINES["lines"]), headers=denver)
        audit = client.get("/admin/audit", headers=log_in(client, STAFF))
    assert placed.status_code == 201
    assert [entry["action"] for entry in audit.json()] == ["placed"]
