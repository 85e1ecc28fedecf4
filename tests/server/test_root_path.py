"""Root paths: of the server (`--root-path`), of the application, and of both, by each protocol."""

import asyncio
import warnings
from typing import Any

import pytest
from support.frameworks import BOTH, Framework
from support.wire import Wire, configured

ROOTS = ("", "/api", "/api/", "api")
PATHS = (
    "/where/a",
    "/api/where/a",
    "/api/api/where/a",
    "/apis/where/a",
    "/where/a/",
    "/api",
    "/nowhere",
    "/api/nowhere",
    "/lost",
    "/%C3%A9",
    "/openapi.json",
    "/inner/where/a",
    "/api/inner/where/a",
)


def make(fw: Framework, root_path: str) -> Any:
    app, inner = fw.FastAPI(root_path=root_path), fw.FastAPI()

    for one in (app, inner):

        @one.get("/where/{spot}")
        async def where(spot: str, request: fw.Request) -> Any:
            scope = request.scope
            shown = {key: scope.get(key) for key in ("path", "root_path", "app_root_path", "path_params")}
            return {**shown, "raw": scope["raw_path"].decode(), "url": str(request.url), "base": str(request.base_url)}

        @one.get("/plain/{spot}")
        async def plain(spot: str) -> Any:
            return spot

        @one.get("/lost")
        async def lost() -> Any:
            raise LookupError

    app.mount("/inner", inner)
    return app


async def answers(fw: Framework, kind: str, server: str, application: str) -> list[bytes]:
    config = configured(make(fw, application), root_path=server)
    found = []
    for path in PATHS:
        for method in ("GET", "POST"):
            wire = Wire(config, kind)
            await wire.feed(f"{method} {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
            while wire.state.tasks:
                await asyncio.wait(list(wire.state.tasks))
            await wire.settle()
            found.append(wire.written.replace(b"FastAPI", b"ferrapi").lower())
    return found


@pytest.mark.parametrize("application", ROOTS)
@pytest.mark.parametrize("server", ROOTS)
def test_answers(server: str, application: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # root_path= is deprecated
        found = [
            asyncio.run(answers(fw, kind, server, application)) for fw in BOTH for kind in ("httptools", "ferrapi")
        ]
    for place, rest in enumerate(zip(*found, strict=True)):
        case = (PATHS[place // 2], place % 2)
        # uvicorn's own protocol has other words for what it refuses.
        assert rest[0] == rest[2], case
        assert rest[1] == rest[3], case
        assert _content(rest[0]) == _content(rest[3]), case


def _content(written: bytes) -> bytes:
    return written.partition(b"\r\n\r\n")[2]
