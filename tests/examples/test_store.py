"""The store behind a real uvicorn process and a real database: what it answers, and what it refuses and how."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from example_server import TOKEN_SECRET, Server
from store_client import (
    CHICAGO,
    DENVER,
    NOBODY,
    PASSWORD,
    STAFF,
    TEN_LINES,
    line,
    log_in,
    new_product,
    new_reference,
    order,
    stock_of,
)

from examples.store.security.tokens import issue_token

# A background task runs after its answer has been sent, so its effect may come a little later than the next request.
TRIES = 1000
ORDER_PRICE = "23359.00"


@pytest.fixture
def client(shop: Server) -> httpx2.Client:
    """A client without an account."""
    shop.client.cookies.clear()
    return shop.client


@pytest.fixture
def denver(client: httpx2.Client) -> dict[str, str]:
    """The headers of a customer."""
    return log_in(client, DENVER)


@pytest.fixture
def staff(client: httpx2.Client) -> dict[str, str]:
    """The headers of an administrator."""
    return log_in(client, STAFF)


def test_it_is_up_and_reaches_its_database(client: httpx2.Client) -> None:
    assert client.get("/health").json() == {"status": "ok", "database": None}
    assert client.get("/health/ready").json() == {"status": "ok", "database": "reachable"}


@pytest.mark.parametrize(
    ("query", "total", "first"),
    [
        ("", 857, "FA-D-SI1-050"),
        ("q=IDEAL+if&color=D", 3, "ID-D-IF-000"),
        ("category=Fair&category=Ideal&clarity=IF&sort=-carat", 19, None),
        ("sort=price&limit=1", 857, None),
        ("min_price=17000&max_price=17500.50&sort=price", None, None),
        ("q=100%25", 0, None),
        ("q=_", 0, None),
    ],
)
def test_search_finds_what_meets_all_conditions(
    client: httpx2.Client, query: str, total: int | None, first: str | None
) -> None:
    found = client.get(f"/search?{query}").json()
    items = found["items"]
    asked = httpx2.QueryParams(query)
    assert total is None or found["total"] == total
    assert first is None or items[0]["sku"] == first
    if asked.get_list("category"):
        assert {item["category"] for item in items} <= set(asked.get_list("category"))
    prices = [Decimal(item["price"]) for item in items]
    assert all(Decimal(asked.get("min_price", "0")) <= price for price in prices)
    assert all(price <= Decimal(asked.get("max_price", "1000000")) for price in prices)
    if "sort" in asked:
        key = asked["sort"].removeprefix("-")
        values = [Decimal(item[key]) for item in items]
        assert values == sorted(values, reverse=asked["sort"].startswith("-"))


@pytest.mark.parametrize(("currency", "rate", "places"), [("EUR", "0.90", 2), ("JPY", "150", 0), ("USD", "1", 2)])
def test_a_header_chooses_the_currency_that_is_shown(
    client: httpx2.Client, currency: str, rate: str, places: int
) -> None:
    for item in client.get("/search?sort=-price&limit=5", headers={"X-Currency": currency}).json()["items"]:
        assert item["display_price"]["currency"] == currency
        amount = Decimal(item["display_price"]["amount"])
        assert abs(amount - Decimal(item["price"]) * Decimal(rate)) <= Decimal("0.5").scaleb(-places)
        assert amount.as_tuple().exponent == -places


def test_a_cookie_remembers_the_products_looked_at(client: httpx2.Client) -> None:
    for sku in ("ID-D-IF-050", "ID-D-IF-100", "ID-D-IF-050"):
        client.get(f"/products/{sku}")
    assert client.cookies["recently_viewed"] == "ID-D-IF-050.ID-D-IF-100"
    seen = {item["sku"] for item in client.get("/search?q=ideal+if&color=D").json()["items"] if item["recently_viewed"]}
    assert seen == {"ID-D-IF-050", "ID-D-IF-100"}


@pytest.mark.parametrize(
    "value", ["a b", "ID-D-IF-100.é", '"ID-D-IF-100.\\073\\012\\000"', "..", "=;;=", "x\tID-D-IF-100"]
)
def test_a_cookie_of_the_clients_own_making_is_not_sent_back(client: httpx2.Client, value: str) -> None:
    answer = client.get("/products/ID-D-IF-050", headers={b"Cookie": f"recently_viewed={value}".encode()})
    assert answer.status_code == 200
    assert client.cookies["recently_viewed"] in {"ID-D-IF-050", "ID-D-IF-050.ID-D-IF-100"}


def test_following_the_links_visits_every_product_once(client: httpx2.Client) -> None:
    answer = client.get("/search?category=Ideal&sort=carat&limit=75")
    seen: list[str] = []
    pages = 1
    while True:
        seen += [item["sku"] for item in answer.json()["items"]]
        assert answer.headers["X-Total-Count"] == "202"
        if "next" not in answer.links:
            break
        answer = client.get(answer.links["next"]["url"])
        pages += 1
    assert (pages, len(seen), len(set(seen))) == (3, 202, 202)
    assert answer.links["prev"]["url"].endswith("offset=75")
    beyond = client.get("/search?category=Ideal&offset=202")
    assert (beyond.status_code, beyond.json()["items"], beyond.json()["total"]) == (200, [], 202)


@pytest.mark.parametrize(
    ("path", "where", "kind"),
    [
        ("/search?limit=0", ["query", "limit"], "greater_than_equal"),
        ("/search?limit=101", ["query", "limit"], "less_than_equal"),
        ("/search?offset=-1", ["query", "offset"], "greater_than_equal"),
        ("/search?min_price=1.005", ["query", "min_price"], "decimal_max_places"),
        ("/search?min_price=cheap", ["query", "min_price"], "decimal_parsing"),
        ("/search?category=Ideal&category=Awful", ["query", "category", 1], "enum"),
        ("/search?sort=stock", ["query", "sort"], "enum"),
        ("/search?in_stock=maybe", ["query", "in_stock"], "bool_parsing"),
        (f"/search?q={'x' * 101}", ["query", "q"], "string_too_long"),
        ("/products/no%20sku", ["path", "sku"], "string_pattern_mismatch"),
        ("/orders/7", ["path", "order_id"], "uuid_parsing"),
        ("/orders?when=now", ["query", "when"], "extra_forbidden"),
        ("/orders?placed_from=2026-01-31T00:00:00", ["query", "placed_from"], "timezone_aware"),
        ("/orders?placed_from=9999-12-31T23:59:59-14:00", ["query", "placed_from"], "value_error"),
        ("/orders?placed_before=0001-01-01T00:00:00%2B14:00", ["query", "placed_before"], "value_error"),
        ("/search?q=a%00b", ["query", "q"], "string_pattern_mismatch"),
        ("/admin/audit?subject=%00", ["query", "subject"], "string_pattern_mismatch"),
        ("/customers/0", ["path", "customer_id"], "greater_than_equal"),
        (f"/customers/{2**31}", ["path", "customer_id"], "less_than"),
        ("/customers/first", ["path", "customer_id"], "int_parsing"),
    ],
)
def test_a_wrong_parameter_is_named(
    client: httpx2.Client, staff: dict[str, str], path: str, where: list[Any], kind: str
) -> None:
    answer = client.get(path, headers=staff)
    assert answer.status_code == 422
    assert [(error["loc"], error["type"]) for error in answer.json()["detail"]] == [(where, kind)]


def test_a_wrong_header_and_a_wrong_cookie_are_named(client: httpx2.Client) -> None:
    header = client.get("/search", headers={"X-Currency": "XXX"})
    cookie = client.get("/products/ID-D-IF-050", headers={"Cookie": f"recently_viewed={'A' * 401}"})
    assert [answer.json()["detail"][0]["loc"] for answer in (header, cookie)] == [
        ["header", "x-currency"],
        ["cookie", "recently_viewed"],
    ]


def test_an_order_of_ten_lines_is_placed_read_and_listed(client: httpx2.Client, denver: dict[str, str]) -> None:
    before = {item["sku"]: stock_of(client, item["sku"]) for item in TEN_LINES["lines"]}
    placed = client.post("/orders", json=order(TEN_LINES["lines"]), headers=denver)
    assert placed.status_code == 201
    content = placed.json()
    assert (content["total"], content["status"], content["ship_to"]) == (ORDER_PRICE, "placed", TEN_LINES["ship_to"])
    assert [{key: got[key] for key in ("sku", "quantity", "unit_price")} for got in content["lines"]] == TEN_LINES[
        "lines"
    ]
    assert [got["position"] for got in content["lines"]] == list(range(1, 11))
    assert datetime.fromisoformat(content["placed_at"]).utcoffset() == timedelta(0)
    after = {item["sku"]: stock_of(client, item["sku"]) + item["quantity"] for item in TEN_LINES["lines"]}
    assert after == before
    assert client.get(placed.headers["Location"], headers=denver).json() == content
    newest = client.get("/orders?limit=1", headers=denver).json()[0]
    assert newest == {key: content[key] for key in newest}


def test_a_price_without_its_last_zero_is_the_same_price(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=1, price="7.5")
    placed = client.post("/orders", json=order([line(sku, 1, "7.5")]), headers=denver).json()
    assert (placed["total"], placed["lines"][0]["unit_price"]) == ("7.50", "7.50")
    assert client.get(f"/orders/{placed['id']}", headers=denver).json() == placed


def test_the_dearest_order_still_has_a_total(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=1000, price="9999999999.99")
    placed = client.post("/orders", json=order([line(sku, 1000, "9999999999.99")]), headers=denver)
    assert (placed.status_code, placed.json()["total"]) == (201, "9999999999990.00")


def test_orders_are_narrowed_by_status_and_time(client: httpx2.Client, staff: dict[str, str]) -> None:
    window = "placed_from=2026-01-10T00:00:00%2B01:00&placed_before=2026-02-01T00:00:00Z"
    shipped = client.get(f"/orders?status=shipped&limit=100&{window}", headers=staff)
    times = [datetime.fromisoformat(got["placed_at"]) for got in shipped.json()]
    assert times == sorted(times, reverse=True)
    assert datetime.fromisoformat("2026-01-10T00:00:00+01:00") <= times[-1]
    assert times[0] < datetime.fromisoformat("2026-02-01T00:00:00Z")
    assert int(shipped.headers["X-Total-Count"]) == len(times) == 17
    assert client.get(f"/orders?status=cancelled&{window}", headers=staff).json() == []


@pytest.mark.parametrize(
    ("changes", "where", "kind"),
    [
        ({"reference": " "}, ["body", "reference"], "string_too_short"),
        ({"lines": []}, ["body", "lines"], "too_short"),
        ({"lines": [line("ID-D-IF-050", 0, "4208.00")]}, ["body", "lines", 0, "quantity"], "greater_than_equal"),
        ({"lines": [line("ID-D-IF-050", 1, "-1")]}, ["body", "lines", 0, "unit_price"], "greater_than_equal"),
        ({"lines": [line("id d", 1, "1.00")]}, ["body", "lines", 0, "sku"], "string_pattern_mismatch"),
        ({"lines": [line("ID-D-IF-050", 1, "1.00")] * 2}, ["body"], "value_error"),
        ({"lines": [{"sku": "ID-D-IF-050", "quantity": 1}]}, ["body", "lines", 0, "unit_price"], "missing"),
        (
            {"ship_to": {**TEN_LINES["ship_to"], "country": "usa"}},
            ["body", "ship_to", "country"],
            "string_pattern_mismatch",
        ),
        ({"reference": "a\0b"}, ["body", "reference"], "string_pattern_mismatch"),
        ({"gift_wrap": True}, ["body", "gift_wrap"], "extra_forbidden"),
    ],
)
def test_a_wrong_order_is_named(
    client: httpx2.Client, denver: dict[str, str], changes: dict[str, Any], where: list[Any], kind: str
) -> None:
    answer = client.post("/orders", json=order(TEN_LINES["lines"]) | changes, headers=denver)
    assert answer.status_code == 422
    assert [(error["loc"], error["type"]) for error in answer.json()["detail"]] == [(where, kind)]


def test_json_that_is_none_is_a_422(client: httpx2.Client, denver: dict[str, str]) -> None:
    headers = {**denver, "Content-Type": "application/json"}
    answer = client.post("/orders", content=b'{"reference": ', headers=headers)
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "json_invalid")


def test_a_refused_order_names_all_lines_to_blame_and_takes_nothing(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    plenty, few, none = (new_product(client, staff, stock) for stock in (9, 2, 0))
    unknown = client.post(
        "/orders", json=order([line(plenty, 1, "100.00"), line("NO-SUCH", 1, "100.00")]), headers=denver
    )
    dear = client.post("/orders", json=order([line(plenty, 1, "99.99"), line(few, 1, "100.00")]), headers=denver)
    short = client.post("/orders", json=order([line(sku, 3, "100.00") for sku in (none, plenty, few)]), headers=denver)
    assert [answer.status_code for answer in (unknown, dear, short)] == [409, 409, 409]
    details = [answer.json()["detail"] for answer in (unknown, dear, short)]
    assert [(detail["code"], detail["lines"]) for detail in details] == [
        ("unknown_product", [{"sku": "NO-SUCH"}]),
        ("price_changed", [{"sku": plenty, "expected": "99.99", "current": "100.00"}]),
        (
            "insufficient_stock",
            [{"sku": none, "requested": 3, "available": 0}, {"sku": few, "requested": 3, "available": 2}],
        ),
    ]
    assert [stock_of(client, sku) for sku in (plenty, few, none)] == [9, 2, 0]


def test_a_reference_is_used_once_per_customer(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=9)
    body = order([line(sku, 1, "100.00")])
    codes = [client.post("/orders", json=body, headers=who).status_code for who in (denver, denver)]
    codes.append(client.post("/orders", json=body, headers=log_in(client, CHICAGO)).status_code)
    assert codes == [201, 409, 201]
    assert stock_of(client, sku) == 7


def test_the_last_stones_are_sold_once_however_many_ask_at_once(
    shop: Server, client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    skus = [new_product(client, staff, stock=10) for _ in range(2)]

    def buy(turn: int) -> int:
        # Half of them name the products the other way round, which must not make two orders wait for each other.
        chosen = skus if turn % 2 else skus[::-1]
        body = order([line(sku, 1, "100.00") for sku in chosen])
        with httpx2.Client(base_url=shop.url, timeout=None) as own:
            return own.post("/orders", json=body, headers=denver).status_code

    with ThreadPoolExecutor(max_workers=16) as pool:
        codes = list(pool.map(buy, range(40)))
    assert sorted(codes) == [201] * 10 + [409] * 30
    assert [stock_of(client, sku) for sku in skus] == [0, 0]


def test_cancelling_puts_the_stones_back_once(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=5)
    path = client.post("/orders", json=order([line(sku, 4, "100.00")]), headers=denver).headers["Location"]
    assert stock_of(client, sku) == 1
    cancelled = client.post(f"{path}/cancel", headers=denver)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    again = client.post(f"{path}/cancel", headers=denver)
    assert (again.status_code, again.json()["detail"]["code"]) == (409, "wrong_state")
    assert stock_of(client, sku) == 5


def test_a_shipped_order_stays(client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]) -> None:
    sku = new_product(client, staff, stock=1)
    path = client.post("/orders", json=order([line(sku, 1, "100.00")]), headers=denver).headers["Location"]
    assert client.post(f"{path}/ship", headers=denver).status_code == 403
    assert client.post(f"{path}/ship", headers=staff).json()["status"] == "shipped"
    assert client.post(f"{path}/cancel", headers=denver).status_code == 409
    deleted = client.delete(f"/products/{sku}", headers=staff)
    assert (deleted.status_code, deleted.json()["detail"]["code"]) == (409, "wrong_state")


def test_the_audit_log_tells_what_happened_to_an_order(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=3)
    placed = client.post("/orders", json=order([line(sku, 2, "100.00")]), headers=denver).json()
    client.post(f"/orders/{placed['id']}/cancel", headers=denver)
    told: list[dict[str, str]] = []
    for _ in range(TRIES):
        told = client.get("/admin/audit", params={"subject": f"order {placed['id']}"}, headers=staff).json()
        if len(told) == 2:
            break
    assert {(entry["actor"], entry["action"], entry["detail"]) for entry in told} == {
        (DENVER, "placed", "1 lines, 200.00 USD"),
        (DENVER, "cancelled", placed["reference"]),
    }


def test_signing_up_gives_an_account_that_works(client: httpx2.Client) -> None:
    email = f"{new_reference()}@example.com"
    body = {**TEN_LINES["ship_to"], "email": email, "password": PASSWORD}
    made = client.post("/customers", json=body)
    assert made.status_code == 201
    assert (made.json()["email"], made.json()["role"]) == (email.lower(), "customer")
    assert "password" not in made.text
    assert client.get("/customers/me", headers=log_in(client, email)).json() == made.json()
    twice = client.post("/customers", json=body | {"email": email.upper()})
    assert (twice.status_code, twice.json()["detail"]["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"email": "not an address"}, ["body", "email"]),
        ({"password": "short"}, ["body", "password"]),
        ({"role": "admin"}, ["body", "role"]),
    ],
)
def test_a_wrong_sign_up_is_named(client: httpx2.Client, change: dict[str, str], where: list[str]) -> None:
    body = {**TEN_LINES["ship_to"], "email": "a@example.com", "password": PASSWORD, **change}
    answer = client.post("/customers", json=body)
    assert (answer.status_code, [error["loc"] for error in answer.json()["detail"]]) == (422, [where])


def test_staff_changes_the_catalogue(client: httpx2.Client, staff: dict[str, str]) -> None:
    sku = new_product(client, staff, stock=1)
    changed = client.patch(f"/products/{sku}", json={"price": 120.5}, headers=staff)
    assert (changed.json()["price"], changed.json()["stock"]) == ("120.50", 1)
    assert client.patch(f"/products/{sku}", json={}, headers=staff).status_code == 422
    taken = client.post("/products", json={**changed.json(), "stock": 3}, headers=staff)
    assert (taken.status_code, taken.json()["detail"]["code"]) == (409, "already_exists")
    deleted = client.delete(f"/products/{sku}", headers=staff)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(f"/products/{sku}").status_code == 404


def test_staff_lists_customers_page_by_page(client: httpx2.Client, staff: dict[str, str]) -> None:
    answer = client.get("/customers?limit=2&offset=1", headers=staff)
    assert [customer["email"] for customer in answer.json()] == ["abe@buyers.example.com", "abq@buyers.example.com"]
    assert set(answer.links) == {"next", "prev"}


_NO_ORDER = UUID("29c5a4b6-199a-43ea-811f-2d5bb3b4a8e1")

GUARDED = [
    ("GET", "/customers/me"),
    ("GET", "/customers"),
    ("GET", "/customers/1"),
    ("POST", "/products"),
    ("PATCH", "/products/ID-D-IF-050"),
    ("DELETE", "/products/ID-D-IF-050"),
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("GET", f"/orders/{_NO_ORDER}"),
    ("POST", f"/orders/{_NO_ORDER}/cancel"),
    ("POST", f"/orders/{_NO_ORDER}/ship"),
    ("GET", "/admin/audit"),
]
FOR_STAFF = [row for row in GUARDED if row[1].startswith(("/customers/1", "/products", "/admin")) or "ship" in row[1]]


def test_a_guarded_route_wants_a_token_that_holds(client: httpx2.Client) -> None:
    good = issue_token(1, timedelta(hours=1), TOKEN_SECRET)
    bad_tokens = {
        "expired": issue_token(1, timedelta(seconds=-1), TOKEN_SECRET),
        "forged": issue_token(1, timedelta(hours=1), TOKEN_SECRET[::-1]),
        "changed": "x" + good,
        "cut": good[:-1],
        "without an account": issue_token(10**6, timedelta(hours=1), TOKEN_SECRET),
        "no token": "a.b.c",
    }
    for method, path in GUARDED:
        for what, headers in {
            "none": NOBODY,
            "another scheme": {"Authorization": f"Basic {good}"},
            **{what: {"Authorization": f"Bearer {token}"} for what, token in bad_tokens.items()},
        }.items():
            answer = client.request(method, path, headers=headers)
            got = (answer.status_code, answer.headers.get("WWW-Authenticate"))
            assert got == (401, "Bearer"), f"{method} {path} with a token that is {what}"


@pytest.mark.parametrize(("method", "path"), FOR_STAFF)
def test_a_customer_is_kept_out_of_what_is_the_staffs(
    client: httpx2.Client, denver: dict[str, str], method: str, path: str
) -> None:
    answer = client.request(method, path, headers=denver)
    role = "clerk" if path.endswith("/ship") else "admin"
    assert (answer.status_code, answer.json()) == (403, {"detail": f"this needs the role {role}"})


@pytest.mark.parametrize(
    "form",
    [
        {"username": DENVER, "password": "wrong"},
        {"username": "nobody@example.com", "password": PASSWORD},
        {"username": f"{DENVER}\0", "password": "\0"},
    ],
)
def test_a_failed_login_does_not_say_which_half_was_wrong(client: httpx2.Client, form: dict[str, str]) -> None:
    answer = client.post("/login", data=form)
    assert (answer.status_code, answer.json()) == (401, {"detail": "the email or the password is wrong"})


def test_a_login_is_a_form(client: httpx2.Client) -> None:
    answer = client.post("/login", data={"username": DENVER})
    assert [(error["loc"], error["type"]) for error in answer.json()["detail"]] == [(["body", "password"], "missing")]
    assert client.post("/login", json={"username": DENVER, "password": PASSWORD}).status_code == 422


def test_what_is_not_there_is_a_404_and_somebody_elses_order_too(
    client: httpx2.Client, denver: dict[str, str], staff: dict[str, str]
) -> None:
    sku = new_product(client, staff, stock=1)
    path = client.post("/orders", json=order([line(sku, 1, "100.00")]), headers=denver).headers["Location"]
    chicago = log_in(client, CHICAGO)
    answers = [
        client.get("/products/NO-SUCH"),
        client.get(f"/orders/{uuid4()}", headers=denver),
        client.get(path, headers=chicago),
        client.post(f"{path}/cancel", headers=chicago),
        client.get("/customers/999999", headers=staff),
    ]
    assert [(answer.status_code, answer.json()["detail"]["code"]) for answer in answers] == [(404, "not_found")] * 5
    assert client.get(path, headers=staff).status_code == 200
    assert client.get("/nowhere").json() == {"detail": "Not Found"}
    assert client.put("/orders", headers=denver).status_code == 405
