"""Log-ins, roles and limits of the store: refreshing, the authorization code grant with PKCE, HTTP Basic."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ferrapi.testclient import TestClient
from store_client import CHICAGO, DENVER, PASSWORD, STAFF, TEN_LINES, log_in, opened, order

from examples.store.security.oauth import challenge_of, may_redirect

CLERK = "clerk@shop.example.com"
BACK = "http://127.0.0.1:8000/docs/oauth2-redirect"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
ASKED = {
    "response_type": "code",
    "client_id": "store-docs",
    "redirect_uri": BACK,
    "state": "a b&c",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a shop."""
    with opened(tmp_path_factory.mktemp("accounts") / "shop.sqlite3") as client:
        yield client


def refresh(client: TestClient, token: str, **more: str) -> Any:
    """Uses a refresh token."""
    return client.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token, **more})


def password_login(client: TestClient) -> dict[str, Any]:
    """Logs in as a customer."""
    answer: dict[str, Any] = client.post("/login", data={"username": DENVER, "password": PASSWORD}).json()
    return answer


def code_for(client: TestClient, **changes: str) -> str:
    """Gets a code as a browser would."""
    form = {**ASKED, **changes, "username": DENVER, "password": PASSWORD}
    answer = client.post("/oauth/authorize", data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    (code,) = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    return code


def redeem(client: TestClient, code: str, **changes: str) -> Any:
    """Exchanges a code."""
    form = {"grant_type": "authorization_code", "code": code, "client_id": "store-docs", "redirect_uri": BACK}
    return client.post("/oauth/token", data={**form, "code_verifier": VERIFIER, **changes})


def test_the_challenge_of_a_verifier_is_the_one_of_the_rfc() -> None:
    assert challenge_of(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_session_goes_on_with_each_refresh_token_once(client: TestClient) -> None:
    first = password_login(client)
    second = refresh(client, first["refresh_token"])
    assert second.status_code == 200
    assert second.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert client.get("/customers/me", headers=headers).json()["email"] == DENVER
    third = refresh(client, second.json()["refresh_token"]).json()
    # Somebody has copied the first one: whoever they are, the session is over.
    assert (
        refresh(client, first["refresh_token"]).status_code,
        refresh(client, third["refresh_token"]).status_code,
    ) == (
        400,
        400,
    )
    assert refresh(client, password_login(client)["refresh_token"]).status_code == 200


@pytest.mark.parametrize("token", ["", "nonsense", "é", "x" * 500])
def test_a_refresh_token_that_was_never_given_is_refused(client: TestClient, token: str) -> None:
    answer = refresh(client, token)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_a_refresh_token_is_its_clients(client: TestClient) -> None:
    token = redeem(client, code_for(client)).json()["refresh_token"]
    assert refresh(client, token).status_code == 400
    assert refresh(client, token, client_id="another").status_code == 400
    assert refresh(client, token, client_id="store-docs").status_code == 200


def test_a_revoked_session_does_not_go_on(client: TestClient) -> None:
    token = password_login(client)["refresh_token"]
    assert client.post("/oauth/revoke", data={"token": token}).status_code == 200
    assert refresh(client, token).status_code == 400
    assert client.post("/oauth/revoke", data={"token": "unknown"}).status_code == 200


def test_refresh_tokens_and_access_tokens_end(tmp_path: Path) -> None:
    with opened(tmp_path / "shop.sqlite3", refresh_lifetime=0, token_lifetime=-1) as client:
        tokens = password_login(client)
        assert refresh(client, tokens["refresh_token"]).status_code == 400
        me = client.get("/customers/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert (me.status_code, me.json()) == (401, {"detail": "the token has expired"})


def test_the_authorization_code_grant_as_a_browser_does_it(client: TestClient) -> None:
    page = client.get("/oauth/authorize", params=ASKED)
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    assert form == ASKED
    wrong = client.post("/oauth/authorize", data={**form, "username": DENVER, "password": "wrong"})
    assert (wrong.status_code, "email or the password is wrong" in wrong.text) == (401, True)
    sent = client.post(
        "/oauth/authorize", data={**form, "username": DENVER, "password": PASSWORD}, follow_redirects=False
    )
    target = urlsplit(sent.headers["Location"])
    answer = parse_qs(target.query)
    assert (target._replace(query="").geturl(), answer["state"]) == (BACK, ["a b&c"])
    tokens = redeem(client, answer["code"][0]).json()
    me = client.get("/customers/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["email"] == DENVER


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": VERIFIER[::-1]},
        {"code_verifier": ""},
        {"client_id": "another"},
        {"client_id": ""},
        {"redirect_uri": BACK + "/"},
        {"code": "nonsense"},
    ],
)
def test_a_code_is_good_for_its_client_address_and_verifier(client: TestClient, changes: dict[str, str]) -> None:
    code = code_for(client)
    answer = redeem(client, changes.get("code", code), **{k: v for k, v in changes.items() if k != "code"})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    if "code" not in changes:
        assert redeem(client, code).status_code == 400, "a code that was tried is used up"


def test_a_code_is_used_once(client: TestClient) -> None:
    code = code_for(client)
    assert [redeem(client, code).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
def test_a_request_that_can_not_be_granted_goes_back_to_its_client(
    client: TestClient, changes: dict[str, str], error: str
) -> None:
    answer = client.get("/oauth/authorize", params={**ASKED, **changes}, follow_redirects=False)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == {"error": [error], "state": ["a b&c"]}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://evil.example/docs/oauth2-redirect"},
        {"redirect_uri": "http://127.0.0.1:8000@evil.example/docs/oauth2-redirect"},
        {"redirect_uri": "http://127.0.0.1:8000/docs/oauth2-redirect#x"},
        {"redirect_uri": "http://127.0.0.1:8000/docs/oauth2-redirect?next=/x"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:99999/docs/oauth2-redirect"},
        {"redirect_uri": ""},
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_the_clients(client: TestClient, changes: dict[str, str]) -> None:
    for answer in (
        client.get("/oauth/authorize", params={**ASKED, **changes}, follow_redirects=False),
        client.post(
            "/oauth/authorize",
            data={**ASKED, "username": DENVER, "password": PASSWORD, **changes},
            follow_redirects=False,
        ),
    ):
        assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ("http://127.0.0.1:51000/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]:7/cb", False),
        ("https://127.0.0.1:51000/cb", False),
        ("https://app.example/cb", True),
        ("https://app.example:444/cb", False),
        ("https://app.example/cb?x=1", False),
    ],
)
def test_addresses_match_to_the_letter_but_for_the_port_of_this_machine(wanted: str, allowed: bool) -> None:
    assert may_redirect(wanted, ["http://127.0.0.1:8000/cb", "https://app.example/cb"]) is allowed


def test_the_page_to_log_in_shows_what_it_was_given_as_text(client: TestClient) -> None:
    page = client.get("/oauth/authorize", params={**ASKED, "state": '"><script>alert(1)</script>'})
    assert "<script>" not in page.text


def test_a_clerk_ships_and_sees_orders_and_does_nothing_else_of_the_staffs(client: TestClient) -> None:
    placed = client.post("/orders", json=order(TEN_LINES["lines"]), headers=log_in(client, DENVER)).json()
    clerk = log_in(client, CLERK)
    assert client.get(f"/orders/{placed['id']}", headers=clerk).status_code == 200
    assert client.post(f"/orders/{placed['id']}/ship", headers=clerk).json()["status"] == "shipped"
    assert client.get("/admin/audit", headers=clerk).status_code == 403
    assert client.patch("/products/ID-D-IF-050", json={"stock": 1}, headers=clerk).status_code == 403
    assert client.get(f"/orders/{placed['id']}", headers=log_in(client, CHICAGO)).status_code == 404


def test_metrics_are_for_those_who_watch(tmp_path: Path) -> None:
    with opened(tmp_path / "shop.sqlite3", operations_password="watch") as client:
        for credentials in (None, ("operations", "wrong"), ("somebody", "watch"), ("operations", "")):
            refused = client.get("/metrics", auth=credentials)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == 'Basic realm="operations"'
        client.get("/v2/products/ID-D-IF-050")
        client.post("/orders", json=order(TEN_LINES["lines"]), headers=log_in(client, DENVER))
        text = client.get("/metrics", auth=("operations", "watch")).text
    assert 'store_request_seconds_count{method="GET",route="/v2/products/{sku}",status="200"} 1.0' in text
    assert 'store_request_seconds_count{method="POST",route="/v1/orders",status="201"} 1.0' in text
    assert 'store_orders_total{event="placed"} 1.0' in text
    assert 'store_emails_total{result="sent"} 1.0' in text


def test_without_a_password_in_the_settings_nobody_watches(client: TestClient) -> None:
    assert client.get("/metrics", auth=("operations", "")).status_code == 401


def test_guessing_passwords_and_asking_too_much_are_limited(tmp_path: Path) -> None:
    with opened(tmp_path / "shop.sqlite3", rate_limit="3/minute", login_rate_limit="2/minute") as client:
        form = {"username": STAFF, "password": "guess"}
        guesses = [client.post("/login", data=form) for _ in range(3)]
        asked = [client.get("/v2/products/ID-D-IF-050") for _ in range(4)]
        assert client.get("/health").status_code == 200
    assert [answer.status_code for answer in guesses] == [401, 401, 429]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Limit"] for answer in asked] == ["3"] * 4
    assert [answer.headers["RateLimit-Remaining"] for answer in asked] == ["2", "1", "0", "0"]
    assert 1 <= int(asked[-1].headers["Retry-After"]) <= 60


def test_the_documentation_page_logs_in_with_pkce(client: TestClient) -> None:
    assert '"usePkceWithAuthorizationCodeGrant": true' in client.get("/docs").text
    schemes = client.get("/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["OAuth2AuthorizationCodeBearer"]["flows"]["authorizationCode"]["tokenUrl"] == "oauth/token"
