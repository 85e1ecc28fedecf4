"""One dependency for requests and WebSockets: what a connection is not is left out, so that its default counts."""

from typing import Annotated, Any

import pytest
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

MISSING: Any = object()


class OwnRequest(Request):
    """A subclass."""


class OwnWebSocket(WebSocket):
    """Another one."""


KINDS = {
    "request": Request,
    "websocket": WebSocket,
    "connection": HTTPConnection,
    "own request": OwnRequest,
    "own websocket": OwnWebSocket,
    "annotated": Annotated[WebSocket, "text"],
}


def taking(default: bool, generator: bool) -> Any:
    """A callable that takes a connection, with or without a default, and tells what it got."""

    def needs(it: Any) -> Any:
        return f"{type(it).__name__}"

    def may_do_without(it: Any = None) -> Any:
        return f"{type(it).__name__}"

    def needs_open(it: Any) -> Any:
        yield f"{type(it).__name__}"

    def may_do_without_open(it: Any = None) -> Any:
        yield f"{type(it).__name__}"

    return {
        (False, False): needs,
        (True, False): may_do_without,
        (False, True): needs_open,
        (True, True): may_do_without_open,
    }[default, generator]


def application(fw: Framework, kind: str, default: bool, place: str) -> Any:
    """An application in which something takes a connection of a kind."""
    call = taking(default, place == "generator")
    call.__annotations__["it"] = KINDS[kind]
    app = fw.FastAPI()
    use = call
    if place == "override":

        def replaced() -> None: ...

        app.dependency_overrides[replaced] = call
        use = replaced

    async def ends(websocket: WebSocket, got: Any = fw.Depends(use)) -> None:
        await websocket.accept()
        await websocket.send_text(str(got))
        await websocket.close()

    if place == "endpoint":

        async def tells(it: Any) -> None:
            raise LookupError(f"got {type(it).__name__}")

        async def tells_without(it: Any = None) -> None:
            raise LookupError(f"got {type(it).__name__}")

        ends = tells_without if default else tells  # type: ignore[assignment]  # in its place
        ends.__annotations__["it"] = KINDS[kind]
        app.get("/")(call)
    elif place == "below":
        app.get("/")(lambda got=fw.Depends(lambda inner=fw.Depends(use): inner): got)
    else:
        app.get("/")(lambda got=fw.Depends(use): got)
    app.websocket("/")(ends)
    return app


@pytest.mark.parametrize("place", ["dependency", "below", "endpoint", "override", "generator"])
@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_of_the_other_kind_is_left_out(kind: str, default: bool, place: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return application(fw, kind, default, place)

    compare(make, [Ask()])
    compare(make, [Ask(kind="websocket")], "asgi")


def test_one_dependency_takes_whichever_there_is() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def connection(
            request: Request = None,  # type: ignore[assignment]  # as libraries write it
            websocket: WebSocket = None,  # type: ignore[assignment]  # as libraries write it
        ) -> list[str]:
            return [type(request).__name__, type(websocket).__name__, (request or websocket).url.path]

        async def echo(websocket: WebSocket, got: list[str] = fw.Depends(connection)) -> None:
            await websocket.accept()
            await websocket.send_text(" ".join(got))
            await websocket.close()

        app.get("/it")(lambda got=fw.Depends(connection): got)
        app.websocket("/it")(echo)
        return app

    compare(make, [Ask(path="/it")])
    compare(make, [Ask(path="/it", kind="websocket")], "asgi")
