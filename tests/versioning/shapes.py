"""An application with versions, and how its requests name one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ferrapi import APIRouter, FastAPI, Request, WebSocket
from ferrapi.versioning import Version, Versioning, version_of
from support.asgi import Answer, Ask
from support.compare import USUAL, answers
from support.frameworks import FERRAPI

OLD = Version(
    "1",
    deprecated=datetime(2024, 1, 1, tzinfo=UTC),
    sunset=datetime(2031, 1, 1, 12, 30, tzinfo=UTC),
    links={"deprecation": "https://example.test/old", "successor-version": "/v2"},
)
OF_OLD = [
    (b"deprecation", b"@1704067200"),
    (b"sunset", b"Wed, 01 Jan 2031 12:30:00 GMT"),
    (b"link", b'<https://example.test/old>; rel="deprecation"'),
    (b"link", b'</v2>; rel="successor-version"'),
]
VERSIONS: list[Version | str] = [OLD, "2", "3"]
WAYS: dict[str, dict[str, Any]] = {
    "path": {},
    "header": {"by": "header"},
    "own header": {"by": "header", "name": "X-Api"},
    "media type": {"by": "media_type"},
    "own parameter": {"by": "media_type", "name": "v"},
    "query": {"by": lambda connection: connection.query_params.get("api")},
}


def ask(way: str, path: str, version: str | None, **more: Any) -> Ask:
    """A request for a path of the API in a version."""
    if version is None:
        return Ask(path=path, **more)
    if way == "query":
        return Ask(path=path, query=f"api={version}".encode(), **more)
    if way == "path":
        return Ask(path=f"/v{version}{path}", **more)
    name, value = {
        "header": (b"accept-version", version),
        "own header": (b"x-api", version),
        "media type": (b"accept", f"application/json; version={version}"),
        "own parameter": (b"accept", f"text/html, application/json;q=0.5;V={version}"),
    }[way]
    return Ask(path=path, headers=[(name, value.encode())], **more)


def everywhere(make: Any, asks: list[Ask]) -> list[Answer]:
    """What an application answers, the same through each way in."""
    found = [answers(FERRAPI, make, asks, way) for way in USUAL]
    for others in found:
        for one, other in zip(found[0], others, strict=True):
            assert (one.status, sorted(one.headers), one.body) == (other.status, sorted(other.headers), other.body)
    return found[0]


def application(**settings: Any) -> FastAPI:
    """Routes of all kinds: of one version, of several, and of none; declared directly and included."""
    app = FastAPI(versioning=Versioning(VERSIONS, **settings))

    @app.get("/item", versions="1")
    async def old_item(request: Request) -> list[Any]:
        return ["old", version_of(request)]

    @app.get("/item", versions=">=2")
    def new_item(request: Request, number: int = 0) -> list[Any]:
        return ["new", version_of(request), number]

    inner = APIRouter(prefix="/inner", versions="<3")

    @inner.get("/first")
    async def first(request: Request) -> Any:
        return ["first", version_of(request)]

    @inner.get("/second", versions=["2", "3"])
    async def second(request: Request) -> Any:
        return ["second", version_of(request)]

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app.include_router(outer, versions="!=2,>=1")
    app.include_router(inner, prefix="/again")

    @app.get("/health")
    async def health(request: Request) -> Any:
        return ["health", version_of(request)]

    @app.websocket("/socket", versions="<=2")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json(version_of(socket))
        await socket.close()

    return app
