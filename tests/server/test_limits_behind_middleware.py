"""Middleware that the transport stands for is around routes with a limit for bodies, and all that send messages."""

from typing import Any

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def shape(fw: Framework, log: list[Any], names: str, where: str) -> Any:
    """An application with limits where it is told to have them: of the application, a router, a route."""
    app = fw.FastAPI(max_body_size=50) if "app" in where else fw.FastAPI()
    for name in names.split():
        if name == "cors":
            app.add_middleware(CORSMiddleware, allow_origins=["http://o"], allow_credentials=True)
        elif name == "gzip":
            app.add_middleware(GZipMiddleware, minimum_size=10)
        else:
            app.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])
    router = fw.APIRouter(prefix="/router", max_body_size=40) if "router" in where else fw.APIRouter(prefix="/router")
    of_route: dict[str, Any] = {"max_body_size": 30} if "route" in where.split() else {}

    class Custom(fw.routing.APIRoute):
        def get_route_handler(self) -> Any:
            return super().get_route_handler()

    own = fw.APIRouter(prefix="/own", route_class=Custom)
    for target in (app, router, own):

        @target.post("/value", **of_route)
        async def value(q: int = 1) -> Any:
            return {"text": "text that is long enough", "q": q}

        @target.post("/body", **of_route)
        def body(data: dict[str, Any]) -> Any:
            return {"text": "text that is long enough", "data": data}

        @target.post("/stream", **of_route)
        async def stream() -> Any:
            return fw.responses.StreamingResponse(iter([b"a" * 20, b"b" * 20]))

        @target.post("/refused", **of_route)
        async def refused() -> Any:
            raise fw.HTTPException(418, "refused for a reason")

        @target.post("/broken", **of_route)
        async def broken() -> Any:
            raise ValueError("broken")

    app.include_router(router)
    app.include_router(own)
    return app


JSON = (b"content-type", b"application/json")
ASKS = [
    Ask("POST", f"{prefix}/{path}", query, [JSON, *headers], (content,))
    for prefix in ("", "/router", "/own")
    for path, query, content in [
        ("value", b"", b""),
        ("value", b"q=x", b""),
        ("body", b"", b'{"a": 1}'),
        ("body", b"", b'{"a": "%b"}' % (b"x" * 60)),
        ("stream", b"", b""),
        ("refused", b"", b""),
        ("broken", b"", b""),
    ]
    for headers in ([], [(b"origin", b"http://o")], [(b"origin", b"http://o"), (b"accept-encoding", b"gzip")])
]


@pytest.mark.parametrize("where", ["router", "route", "app", "app router route"])
@pytest.mark.parametrize("names", ["cors", "host cors gzip"])
def test_responses_go_through_the_middleware(names: str, where: str) -> None:
    found = compare(lambda fw, log: shape(fw, log, names, where), ASKS)
    assert {200, 413, 418, 422} <= {answer.status for answer in found}
