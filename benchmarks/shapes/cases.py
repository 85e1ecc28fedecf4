"""The shapes: what is asked of the services of `benchmarks.apps.services`.

The right answers are FastAPI's (see `answers`), so the exchanges here have none.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from ..apps.data import VARIATIONS
from ..cases import Case, Exchange

FRONTEND = "https://desk.freight.example"
_JSON = {"Content-Type": "application/json"}
_NAMES = uuid.UUID("5f0e3c1a-8f4b-4c55-9d7e-2a8d1f6b7c90")


@dataclass(frozen=True)
class Shape(Case):
    """A case whose right answers are FastAPI's.

    Parameters:
        module: of the services; `app` is its attribute.
        goals: FastAPI's CPU time per request as a multiple of ferrapi's: through ASGI, and through its own protocol.
        options: for `benchmarks.load.serve`.
        varying: response headers that are there in each answer, but with other values each time.
        connections: at once.
        load: the load generator: `wrk`, `crowd`, or `websocket`, where each exchange is a text and its answer.
    """

    module: str = "desk"
    goals: tuple[float, float] | None = None
    options: tuple[str, ...] = ()
    varying: frozenset[str] = frozenset()
    connections: int = 64
    load: Literal["wrk", "crowd", "websocket"] = "wrk"

    @property
    def websocket(self) -> bool:
        """Whether it is over a WebSocket."""
        return self.load == "websocket"


def _shape(
    name: str,
    title: str,
    make: Callable[[int], Exchange],
    goals: tuple[float, float] | None,
    app: str = "desk:app",
    variations: int = VARIATIONS,
    **more: Any,
) -> Shape:
    module, _, attribute = app.partition(":")
    exchanges = tuple(make(n) for n in range(variations))
    return Shape(name, title, exchanges, frozenset(), app=attribute, module=module, goals=goals, **more)


def _get(path: str, **headers: str) -> Callable[[int], Exchange]:
    """Requests whose path, or else a query string that is not read, has the number."""
    numbered = path if "{n}" in path else path + "?n={n}"
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return lambda n: Exchange(
        "GET", numbered.format(n=n), headers={name: value.format(n=n) for name, value in named.items()}
    )


def _token(n: int) -> dict[str, str]:
    return {"Authorization": f"Bearer eyJ.{n:04}.sig"}


def booking(n: int) -> dict[str, Any]:
    """The booking of the n-th request: about 1,000 bytes of JSON."""
    place = {"company": f"Kontor {n} GmbH", "street": f"Am Sandtorkai {n}", "postcode": f"{20000 + n}", "country": "de"}
    return {
        "id": str(uuid.uuid5(_NAMES, str(n))),
        "service": ("economy", "standard", "express")[n % 3],
        "pickup": place,
        "delivery": {**place, "company": f"Usine {n} SARL", "street": f"Quai {n}", "country": "FR"},
        "ready": f"2026-04-{1 + n % 28:02}T07:30:00Z",
        "latest": f"2026-05-{1 + n % 28:02}T18:00:00+02:00",
        "pieces": [
            {
                "barcode": str(uuid.uuid5(_NAMES, f"{n}/{piece}")),
                "kilograms": f"{12 + n + piece}.{n % 10}5",
                "declared": f"{100 + 7 * n}.00",
                "fragile": (n + piece) % 2 == 0,
            }
            for piece in range(4)
        ],
        "handling": ["tail-lift", f"dock-{n % 5}", "two-man"],
        "remark": f"Gate code {1000 + n}, please call ahead.",
    }


def _booking(path: str, **headers: str) -> Callable[[int], Exchange]:
    def make(n: int) -> Exchange:
        more = _token(n) if path == "/bookings" else {}
        return Exchange("POST", path, headers={**_JSON, **more, **headers}, body=json.dumps(booking(n)).encode())

    return make


def _browsers_booking(n: int) -> Exchange:
    return _booking("/bookings", **{"Origin": FRONTEND, "Accept-Encoding": "gzip", "X-Request-ID": f"lb-{n:06}"})(n)


def _search(n: int) -> Exchange:
    query = [("since", "2026-03-03"), ("state", "moving"), ("order", "newest"), ("limit", 20), ("offset", n)]
    query += [("carriers", number) for number in (1, 2, 3, 5)]
    return Exchange("GET", f"/shipments?{urlencode(query)}")


def _upload(n: int) -> Exchange:
    parts = [
        b'--freight-boundary\r\nContent-Disposition: form-data; name="kind"\r\n\r\ninvoice-%d\r\n' % n,
        b"--freight-boundary\r\nContent-Disposition: form-data; "
        b'name="scan"; filename="scan-%d.pdf"\r\nContent-Type: application/pdf\r\n\r\n' % n,
        bytes((n + place) % 251 for place in range(4096)),
        b"\r\n--freight-boundary--\r\n",
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=freight-boundary"}
    return Exchange("POST", "/documents", headers=headers, body=b"".join(parts))


def _readings(n: int) -> Exchange:
    items = [
        {
            "truck": f"HH-FX {n:03}",
            "sensor": place % 6,
            "celsius": (place * 7 + n) % 90 / 2,
            "position": [53.5 + place / 1000, 9.9 + n / 100],
            "open": place % 9 == 0,
            "note": None,
        }
        for place in range(900)
    ]
    return Exchange("POST", "/readings", headers=_JSON, body=json.dumps(items).encode())


_LOGBOOK = b"2026-11-29T06:30:00Z;53.5511;9.9937;61.5\n".ljust(64, b" ") * 16_384
_GATE = _get("/gate")
_BROWSER = {"origin": FRONTEND, "accept_encoding": "gzip", "x_request_id": "lb-{n}"}
_TIMED = frozenset({"server-timing"})

SHAPES: tuple[Shape, ...] = (
    _shape("status", "JSON hello, for scale", _get("/status"), (5.5, 10.5)),
    _shape(
        "booking",
        "booking behind a bearer token: UUIDs, datetimes, decimals, enum, set, nested models, two validators, response "
        "model; asynchronous session (yield), background task",
        _booking("/bookings"),
        (5.5, 8),
    ),
    _shape("offer", "the same body and response model, no dependencies", _booking("/offers"), (3.2, 4.2)),
    _shape("search", "query parameter model, 20 ORM rows through a response model", _search, (2.3, 2.6)),
    _shape(
        "manifest",
        "1,000 ORM rows through a response model",
        _get("/manifest?start={n}&length=1000"),
        (1.1, 1.12),
        variations=16,
    ),
    _shape(
        "shipment",
        "sync endpoint with a sync session (yield), ORM row through a response model",
        _get("/shipments/{n}"),
        (6, 8.5),
    ),
    _shape(
        "my-shipment",
        "the same behind a bearer token (async dependencies)",
        lambda n: Exchange("GET", f"/my/shipments/{n}", headers=_token(n)),
        (6, 8.5),
    ),
    _shape("whoami", "takes the Request, reads a header and the URL", _get("/whoami", x_client="app/{n}"), (5, 8)),
    _shape("preferences", "injected Response: a cookie and a header set", _get("/preferences?theme=dark{n}"), (3.8, 6)),
    _shape("rates", "returns a JSONResponse", _get("/rates/{n}"), (4, 6.5)),
    _shape("labels", "StreamingResponse of 20 chunks of 1 kB from an async generator", _get("/labels/{n}"), (2.5, 6)),
    _shape("documents", "multipart upload of 4 kB and a field", _upload, (3.5, 6.5)),
    _shape("readings", "JSON body of 100 kB, list of dictionaries", _readings, (1.18, 1.22), variations=16),
    _shape("no-invoice", "HTTPException: 404", _get("/invoices/{n}"), (4.5, 10)),
    _shape("no-route", "no route: 404", _get("/wp-admin/{n}.php"), (4.5, 9)),
    _shape("customs", "awaits a timer of 1 ms", _get("/customs/{n}"), (5.5, 11)),
    _shape("pure", "JSON hello under one pure ASGI middleware that adds a header", _GATE, (3.8, 6.5), "wrapped:pure"),
    _shape("function", '… under @app.middleware("http")', _GATE, (6, 11), "wrapped:function"),
    _shape("routed", "… of a route class with a handler of its own", _GATE, None, "wrapped:routed"),
    _shape(
        "handled", "… that raises, with an exception handler that answers with JSON", _GATE, None, "wrapped:handled"
    ),
    _shape("base", "… under a BaseHTTPMiddleware subclass with its own dispatch", _GATE, (4.5, 9), "wrapped:base"),
    _shape("cors", "… under CORS, from a browser (with Origin)", _get("/gate", **_BROWSER), (4.5, 9), "wrapped:cors"),
    _shape(
        "production",
        "… under a production stack: CORS with Origin, GZip, request id (ASGI), timing function",
        _get("/gate", **_BROWSER),
        (5, 9),
        "wrapped:production",
        varying=_TIMED,
    ),
    _shape(
        "booking-production",
        "the booking above under that production stack",
        _browsers_booking,
        (5, 9),
        "wrapped:production",
        varying=_TIMED,
    ),
    _shape("access-log", "JSON hello with the access log on", _get("/status"), (5.5, 9), options=("--access-log",)),
    _shape("rooted", "JSON hello of an application with root_path", _GATE, (5.5, 11), "wrapped:rooted"),
    _shape("mounted", "… of a mounted sub-application", _get("/yard/gate"), (6, 11), "wrapped:mounting"),
    _shape("watched", "… of a FastAPI subclass that overrides __call__", _GATE, (6, 10), "wrapped:watched"),
    _shape(
        "compressed",
        "20 ORM rows through a response model, compressed by GZip",
        _get("/manifest?start={n}", accept_encoding="gzip"),
        (1.75, 1.85),
        "wrapped:compressed",
    ),
    _shape(
        "tariffs",
        "100 sync requests at once, each with a connection of a pool of 10 (sync dependency with yield, query of 2 ms)",
        _get("/tariffs/{n}"),
        None,
        "live:app",
        connections=100,
    ),
    _shape(
        "positions",
        "server-sent events: a stream of ten, 20 ms apart, to each of 1,000 clients",
        _get("/positions/{n}"),
        None,
        "live:app",
        connections=1000,
        variations=4,
        load="crowd",
    ),
    _shape(
        "radio",
        "WebSocket: a text and its answer",
        lambda n: Exchange("GET", "/radio", body=b"truck %d is at the gate" % n),
        None,
        "live:app",
        load="websocket",
    ),
    _shape(
        "logbooks",
        "body of 1 MiB in chunks of 16 KiB, read as a stream",
        lambda n: Exchange("POST", f"/logbooks/{n}", body=_LOGBOOK, chunk=16_384),
        None,
        "live:app",
        variations=4,
    ),
)
BY_NAME = {shape.name: shape for shape in SHAPES}
