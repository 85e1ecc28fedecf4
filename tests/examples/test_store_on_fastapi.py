"""The store with its import changed is the same service on FastAPI: its document, and a day of requests."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from store_client import TEN_LINES, sample_data, settings_of

from examples.store.security.oauth import challenge_of

VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|W-[0-9A-F]{12}|eyJ[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)|(?<=code=)[\w-]{43}"
    r'|(?<="refresh_token":")[\w-]{43}'
)
PACKAGES = {"ferrapi": "examples.store.main", "fastapi": "benchmarks.apps.on_fastapi.store.main"}
BACK = "http://127.0.0.1/docs/oauth2-redirect"
VERIFIER = "v" * 43
STAMPED = re.compile(r"^(ratelimit|date|content-length$)")

Talk = list[tuple[str, int, dict[str, str], str]]


class Shopper:
    """A client that writes down what it is told, without what differs from run to run."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.told: Talk = []

    def __call__(self, method: str, path: str, **how: Any) -> Any:
        """Sends a request."""
        answer = self.client.request(method, path, follow_redirects=False, **how)
        headers = {name: VARYING.sub("…", value) for name, value in answer.headers.items() if not STAMPED.match(name)}
        text = VARYING.sub("…", answer.text)
        self.told.append((f"{method} {VARYING.sub('…', path)}", answer.status_code, headers, text))
        return answer


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TestClient]]:
    """The store on each package, with the same data."""
    clients: dict[str, TestClient] = {}
    for package, module in PACKAGES.items():
        file: Path = tmp_path_factory.mktemp(package) / "shop.sqlite3"
        file.write_bytes(sample_data())
        settings = settings_of(file, operations_password="watch", rate_limit="500/minute")
        app = importlib.import_module(module).create_app(settings)
        assert type(app).__module__.partition(".")[0] == package
        clients[package] = TestClient(app)
    with clients["ferrapi"], clients["fastapi"]:
        yield clients


def look_around(ask: Shopper) -> None:
    """What anybody does."""
    for path in (
        "/health",
        "/health/ready",
        "/",
        "/search?q=si1&category=Ideal&limit=3",
        "/v2/products?limit=2&cut=Fair",
    ):
        ask("GET", path)
    ask("GET", "/products/ID-D-IF-050", headers={"Accept-Version": "2", "X-Currency": "EUR"})
    ask("GET", "/search", headers={"Accept-Version": "7"})
    for path in ("/search?color=Z&limit=0", "/v2/products?limit=1000", "/v1/products/no%20sku", "/v2/products/NONE"):
        ask("GET", path)
    ask("PUT", "/v1/orders")
    ask("GET", "/v1/nowhere")


def log_in_everywhere(ask: Shopper) -> dict[str, str]:
    """Passwords, codes and refresh tokens; returns the headers of a customer."""
    form = {"username": "den@buyers.example.com", "password": "brilliant-cut"}
    ask("POST", "/login", data={**form, "password": "wrong"})
    ask("POST", "/login", data={"username": "x"})
    asked = {"response_type": "code", "client_id": "store-docs", "redirect_uri": BACK, "state": "s"}
    asked |= {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}
    ask("GET", "/oauth/authorize", params=asked)
    ask("GET", "/oauth/authorize", params={**asked, "client_id": "x"})
    ask("GET", "/oauth/authorize", params={**asked, "state": "\0"})
    code = ask("POST", "/oauth/authorize", data={**asked, **form}).headers["Location"]
    exchange = {"grant_type": "authorization_code", "code": re.findall(r"code=([\w-]+)", code)[0]}
    exchange |= {"client_id": "store-docs", "redirect_uri": BACK, "code_verifier": VERIFIER}
    tokens = ask("POST", "/oauth/token", data=exchange).json()
    ask("POST", "/oauth/token", data=exchange)
    ask("POST", "/oauth/token", data={"grant_type": "password"})
    renewal = {"grant_type": "refresh_token", "client_id": "store-docs", "refresh_token": tokens["refresh_token"]}
    tokens = ask("POST", "/oauth/token", data=renewal).json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def buy(ask: Shopper, customer: dict[str, str]) -> None:
    """Orders, and what the staff does with them."""
    staff_form = {"username": "staff@shop.example.com", "password": "brilliant-cut"}
    staff = {"Authorization": f"Bearer {ask('POST', '/login', data=staff_form).json()['access_token']}"}
    first = ask("POST", "/orders", json=TEN_LINES, headers=customer).json()
    ask("POST", "/orders", json=TEN_LINES, headers=customer)
    ask("POST", "/orders", json={**TEN_LINES, "lines": []}, headers=customer)
    ask("POST", "/v2/orders", json={**TEN_LINES, "reference": None}, headers=customer)
    body = {"ship_to": TEN_LINES["ship_to"], "lines": TEN_LINES["lines"][:2]}
    second = ask("POST", "/v2/orders", json=body, headers=customer).json()
    ask("GET", second["links"]["self"], headers=customer)
    ask("POST", second["links"]["cancel"], headers=customer)
    ask("POST", f"/v1/orders/{first['id']}/ship", headers=customer)
    ask("POST", f"/v1/orders/{first['id']}/ship", headers=staff)
    ask("POST", f"/v1/orders/{first['id']}/cancel", headers=customer)
    for path in ("/v1/orders?limit=2", "/v2/orders?limit=2", "/v1/orders?when=now", "/v2/customers/me"):
        ask("GET", path, headers=customer)
        ask("GET", path)
    ask("GET", "/admin/audit", headers=staff)
    ask("PATCH", "/v2/products/ID-D-IF-050", json={"price": 12.5}, headers=staff)
    ask("PATCH", "/v2/products/ID-D-IF-050", json={}, headers=staff)
    ask("DELETE", "/v1/products/ID-D-IF-050", headers=staff)
    with ask.client.websocket_connect("/orders/feed", headers=customer) as feed:
        ask("POST", "/v2/orders", json=body, headers=customer)
        ask.told.append(("feed", 0, {}, VARYING.sub("…", feed.receive_text())))


def test_both_packages_say_the_same_all_day(shops: dict[str, TestClient]) -> None:
    told: dict[str, Talk] = {}
    for package, client in shops.items():
        ask = Shopper(client)
        look_around(ask)
        buy(ask, log_in_everywhere(ask))
        ask("GET", "/metrics")
        told[package] = ask.told
    assert len(told["ferrapi"]) >= 49
    for ours, theirs in zip(told["ferrapi"], told["fastapi"], strict=True):
        assert ours == theirs


def test_both_packages_count_the_same_requests(shops: dict[str, TestClient]) -> None:
    counted = []
    for client in shops.values():
        text = client.get("/metrics", auth=("operations", "watch")).text
        counted.append([line for line in text.splitlines() if re.match(r"store_\w+_(count|total)", line)])
    assert counted[0] == counted[1]


def test_both_packages_describe_the_same_service(shops: dict[str, TestClient]) -> None:
    ours, theirs = (client.get("/openapi.json").json() for client in shops.values())
    assert ours == theirs
