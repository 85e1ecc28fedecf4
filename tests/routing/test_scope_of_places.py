"""What the scope of a request says about the include that its route came from."""

from pathlib import Path
from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def _shown(noted: dict[str, Any]) -> dict[str, Any]:
    included, place = noted.get("included_router"), noted.get("effective_route_context")
    return {
        **noted,
        "included_router": included and [type(included).__name__, included.include_context.prefix],
        "effective_route_context": place and [type(place).__name__, place.path, place.frontend_prefix],
    }


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_scope_names_the_place_and_the_innermost_include(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("index")

    def make(fw: Framework, log: list[Any]) -> Any:
        app, router, inner = fw.FastAPI(), fw.APIRouter(), fw.APIRouter()

        class Noting:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await self.app(scope, receive, send)
                log.append(_shown(scope.get("fastapi", {})))

        async def greet(websocket: fw.WebSocket) -> None:  # the package's own
            await websocket.accept()
            log.append(_shown(websocket.scope.get("fastapi", {})))
            await websocket.close()

        async def plain(request: Any) -> Any:
            log.append(_shown(request.scope.get("fastapi", {})))
            return fw.responses.Response("plain")

        async def api(request: fw.Request) -> None:
            log.append(_shown(request.scope.get("fastapi", {})))

        async def mounted(scope: Any, receive: Any, send: Any) -> None:
            log.append(_shown(scope.get("fastapi", {})))
            await fw.responses.Response("mounted")(scope, receive, send)

        app.add_middleware(Noting)
        for one in (app, router, inner):
            one.websocket("/socket")(greet)
            one.add_route("/plain", plain)
            one.get("/api")(lambda: None)
            one.get("/request")(api)
            one.frontend("/front", directory=tmp_path)
        inner.mount("/mounted", mounted)
        router.include_router(inner, prefix="/inner")
        app.include_router(router, prefix="/outer")
        return app

    if kind == "websocket":
        asks = [Ask(path=prefix + "/socket", kind="websocket") for prefix in ("", "/outer", "/outer/inner", "/none")]
    else:
        prefixes = ("", "/outer", "/outer/inner", "/none")
        asks = [Ask(path=prefix + path) for prefix in prefixes for path in ("/plain", "/mounted/x", "/front/")]
        asks += [Ask(method, path=prefix + "/api") for prefix in prefixes for method in ("POST", "GET")]
        asks += [Ask(path=prefix + "/request") for prefix in prefixes]
    compare(make, asks, "asgi")
