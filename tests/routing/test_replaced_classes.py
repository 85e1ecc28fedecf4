"""Classes of `routing` that a tool has replaced are used for what is declared afterwards."""

from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

NAMES = ("APIWebSocketRoute", "APIRouter", "_IncludedRouter")


@pytest.mark.parametrize("name", NAMES)
def test_a_replaced_class_makes_what_is_declared_afterwards(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        own = getattr(fw.routing, name)

        class Replacement(own):  # type: ignore[misc]  # the package's class
            def __init__(self, *args: Any, **options: Any) -> None:
                log.append("made")
                super().__init__(*args, **options)

            def matches(self, scope: Any) -> Any:
                found = super().matches(scope)
                if name == "APIWebSocketRoute":
                    log.append(("asked", found[0].name, scope["path"]))
                return found

        if name != "APIWebSocketRoute":
            del Replacement.matches
        with monkeypatch.context() as patch:
            patch.setattr(fw.routing, name, Replacement)
            app, router = fw.FastAPI(), fw.APIRouter()

            @app.websocket("/direct")
            @router.websocket("/included")
            async def greet(websocket: fw.WebSocket) -> None:  # the package's own
                await websocket.accept()
                await websocket.send_text(f"hello {type(websocket.scope['route']).__name__}")
                await websocket.close()

            app.get("/")(lambda: "here")
            app.include_router(router, prefix="/p")
            kinds = [type(route).__name__ for route in app.routes if not hasattr(route, "include_in_schema")]
        log.append("built")

        @app.get("/made")
        def made() -> Any:
            return [kinds, type(app.router).__name__, type(app.webhooks).__name__]

        return app

    sockets = [Ask(path=path, kind="websocket") for path in ("/direct", "/p/included", "/none")]
    compare(make, [Ask(path="/made"), *sockets, Ask()], "asgi")
