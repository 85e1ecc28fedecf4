"""The cases: what is asked of every peer, with the answer that counts as right.

Each case has `VARIATIONS` requests with values of their own, and for each the status and the exact bytes of the body.
The load generator, the benchmarks in process and callgrind all take their requests from here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .apps.data import CATALOGUE, SECTIONS, THINGS, VARIATIONS

COMMON_HEADERS = {"Accept": "application/json", "User-Agent": "benchmark/1"}


@dataclass(frozen=True)
class Exchange:
    """A request and the answer to it.

    Parameters:
        path: with the query string.
        headers: in addition to `COMMON_HEADERS` and what frames the body.
        status, answer: of the right response; the answer is its whole body.
        answer_headers: headers that the response must have, names in lower case.
        chunk: the body is sent in chunks of so many bytes; 0: whole, with its length.
    """

    method: str
    path: str
    answer: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    answer_headers: dict[str, str] = field(default_factory=dict)
    chunk: int = 0

    @property
    def pieces(self) -> list[bytes]:
        """The body as it is sent."""
        size = self.chunk or max(len(self.body), 1)
        return [self.body[start : start + size] for start in range(0, len(self.body), size)]

    @property
    def sent_headers(self) -> dict[str, str]:
        """All headers of the request but `Host`."""
        framing = {"Transfer-Encoding": "chunked"} if self.chunk else {"Content-Length": str(len(self.body))}
        return COMMON_HEADERS | self.headers | (framing if self.body else {})

    def encoded(self, host: str) -> bytes:
        """The bytes of the request, as a client sends them to a host."""
        headers = {"Host": host, **self.sent_headers}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        body = self.body
        if self.chunk:
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*self.pieces, b""])
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Case:
    """One kind of request.

    Parameters:
        name: short, used on the command line and in results.
        title: what it is, for the table.
        exchanges: the requests.
        counts: counters that every request moves by one; all others stand still.
        app: the attribute of the peer's module that is served.
    """

    name: str
    title: str
    exchanges: tuple[Exchange, ...]
    counts: frozenset[str]
    app: str = "app"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _case(name: str, title: str, make: Callable[[int], Exchange], *counts: str, app: str = "app") -> Case:
    return Case(name, title, tuple(make(n) for n in range(VARIATIONS)), frozenset(counts), app)


_JSON_TYPE = {"content-type": "application/json"}
_HELLO = _json({"message": "Hello, world"})


def _greeting(path: str, **answer_headers: str) -> Callable[[int], Exchange]:
    """The query string is never read: it only makes requests differ."""
    return lambda n: Exchange("GET", f"{path}?n={n}", _HELLO, answer_headers=_JSON_TYPE | answer_headers)


def _plain(n: int) -> Exchange:
    return Exchange(
        "GET", f"/plain?n={n}", b"Hello, world", answer_headers={"content-type": "text/plain; charset=utf-8"}
    )


def _params(n: int) -> Exchange:
    value = {"item_id": n, "q": f"blue shirt {n}", "limit": n + 1, "tag": f"tag-{n}", "session": f"s{n:08x}"}
    query = urlencode({"q": value["q"], "limit": value["limit"]})
    headers = {"X-Request-Tag": str(value["tag"]), "Cookie": f"theme=dark; session={value['session']}"}
    return Exchange("GET", f"/items/{n}?{query}", _json(value), headers=headers)


def order(n: int) -> dict[str, Any]:
    """The order of the n-th request: about 750 bytes of JSON."""
    return {
        "reference": f"PO-2026-{n:05}",
        "customer": {"name": f"Customer {n}", "email": f"buyer{n}@shop.example.com", "country": "DE"},
        "lines": [
            {"sku": f"SKU-{n:03}-{line}", "quantity": 1 + (n + line) % 9, "unit_cents": 1000 + 37 * n + line}
            for line in range(10)
        ],
        "note": f"Please ring at door {n}, and leave the parcel with the neighbours otherwise.",
    }


def _order(n: int) -> Exchange:
    asked = order(n)
    total = sum(line["quantity"] * line["unit_cents"] for line in asked["lines"])
    answer = {"reference": asked["reference"], "lines": len(asked["lines"]), "total_cents": total}
    headers = {"Content-Type": "application/json"}
    return Exchange("POST", "/orders", _json(answer), 201, headers, _json(asked), _JSON_TYPE)


def _bad_order(n: int) -> Exchange:
    asked = order(n)
    asked["customer"]["country"] = "Germany"
    asked["lines"][3]["quantity"] = -n
    del asked["lines"][7]["sku"]
    detail = [
        {
            "type": "string_too_long",
            "loc": ["body", "customer", "country"],
            "msg": "String should have at most 2 characters",
            "input": "Germany",
            "ctx": {"max_length": 2},
        },
        {
            "type": "greater_than_equal",
            "loc": ["body", "lines", 3, "quantity"],
            "msg": "Input should be greater than or equal to 1",
            "input": -n,
            "ctx": {"ge": 1},
        },
        {"type": "missing", "loc": ["body", "lines", 7, "sku"], "msg": "Field required", "input": asked["lines"][7]},
    ]
    headers = {"Content-Type": "application/json"}
    return Exchange("POST", "/orders", _json({"detail": detail}), 422, headers, _json(asked), _JSON_TYPE)


def _guarded(n: int) -> Exchange:
    return Exchange(
        "GET", "/guarded", _json({"id": n, "name": f"user{n}"}), headers={"Authorization": f"Bearer token-{n}"}
    )


def _no_token(n: int) -> Exchange:
    needed = {"www-authenticate": "Bearer"}
    return Exchange("GET", f"/guarded?n={n}", _json({"detail": "Not authenticated"}), 401, answer_headers=needed)


def _login(n: int) -> Exchange:
    password = f"correct horse & battery {n}"
    body = urlencode({"username": f"user{n}@example.com", "password": password}).encode()
    answer = _json({"username": f"user{n}@example.com", "length": len(password)})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Exchange("POST", "/login", answer, headers=headers, body=body)


def _last_route(n: int) -> Exchange:
    return Exchange("GET", f"/{SECTIONS[-1]}/{THINGS[-1]}/{n}", _json({"number": n}))


def _products(n: int) -> Exchange:
    answer = _json([product.model_dump() for product in CATALOGUE[n : n + 50]])
    return Exchange("GET", f"/products?start={n}", answer)


CASES: tuple[Case, ...] = (
    _case("plain", "plain text", _plain, "plain"),
    _case("hello", "JSON hello", _greeting("/hello"), "hello"),
    _case("params", "path, two query, header and cookie parameter", _params, "params"),
    _case("order", "order of 750 bytes and ten lines, response model, 201", _order, "order"),
    _case(
        "guarded",
        "three levels of dependencies: session (yield), bearer token, role",
        _guarded,
        *("session opened", "session closed", "user", "guarded"),
    ),
    _case("no-token", "the same without a token: 401", _no_token, "session opened", "session closed"),
    _case("login", "urlencoded form of two fields", _login, "login"),
    _case("last-route", "last of 500 routes in 100 included routers", _last_route, "thing"),
    _case("bad-order", "the order with three mistakes: 422", _bad_order),
    _case("thread", "JSON hello from a sync handler (worker thread)", _greeting("/thread"), "thread"),
    _case("pause", "JSON hello after awaiting sleep(0)", _greeting("/pause"), "pause"),
    _case("products", "50 models as the response", _products, "products"),
    _case(
        "middleware",
        'JSON hello under one @app.middleware("http")',
        _greeting("/hello", **{"x-served-by": "benchmark"}),
        *("mark", "hello"),
        app="middleware_app",
    ),
)
BY_NAME = {case.name: case for case in CASES}
