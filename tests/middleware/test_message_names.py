"""Tracing tools name the messages of a request by the `receive` and `send` that took them (``__qualname__``)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Looking:
    """A layer that notes what the callables are called."""

    log: list[Any] = []

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        note(self.log, type(self).__name__, receive, send)
        await self.app(scope, receive, send)


def note(log: list[Any], where: str, *callables: Any) -> None:
    log.append([where, *((one.__qualname__, one.__name__) for one in callables)])


class PassingOn(BaseHTTPMiddleware):
    """Does nothing."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


LAYERS: dict[str, Any] = {
    "looking": (Looking, {}),
    "passing on": (PassingOn, {}),
    "compressing": (GZipMiddleware, {"minimum_size": 1}),
}


@pytest.mark.parametrize("limit", [None, 100])
@pytest.mark.parametrize(
    "layers",
    [
        ["looking"],
        ["looking", "passing on"],
        ["passing on", "looking"],
        ["looking", "compressing"],
        ["compressing", "looking"],
        ["looking", "passing on", "compressing", "looking"],
    ],
)
def test_receive_and_send_are_called_like_starlettes(
    layers: list[str], limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    innermost = ExceptionMiddleware.__call__

    async def looked_at(self: Any, scope: Any, receive: Any, send: Any) -> None:
        note(Looking.log, "ExceptionMiddleware", receive, send)
        await innermost(self, scope, receive, send)

    monkeypatch.setattr(ExceptionMiddleware, "__call__", looked_at)

    def make(fw: Framework, log: list[Any]) -> Any:
        monkeypatch.setattr(Looking, "log", log)
        app = fw.FastAPI(max_body_size=limit)
        for kind, arguments in (LAYERS[name] for name in layers):
            app.add_middleware(kind, **arguments)

        async def mounted(scope: Any, receive: Any, send: Any) -> None:
            note(log, "mounted", receive, send)
            await PlainTextResponse("there")(scope, receive, send)

        app.mount("/mounted", mounted)
        app.get("/")(lambda: "here")
        return app

    zipped = [(b"accept-encoding", b"gzip")]
    for answer in compare(make, [Ask(), Ask("GET", "/mounted/x"), Ask("GET", "/mounted/x", headers=zipped)]):
        assert len(answer.log) > len(layers) // 2
