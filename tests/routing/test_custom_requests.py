"""Route classes that hand on a request of their own, or one that they have changed: it is asked, as in FastAPI."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from starlette.datastructures import Headers, QueryParams
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
COOKIE = (b"cookie", b"c=own")


class Model(BaseModel):
    a: int = 1


def routed(fw: Framework, around: Callable[[Any], Any]) -> Any:
    """An application whose route handlers are given ``around(request)``."""

    class Route(fw.routing.APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def serve(request: Any) -> Any:
                return await handler(around(request))

            return serve

    app = fw.FastAPI()
    app.router.route_class = Route

    @app.get("/{p}")
    def parameters(
        p: str, q: int = 1, c: Annotated[str, fw.Cookie()] = "none", h: Annotated[str, fw.Header()] = "none"
    ) -> Any:
        return [p, q, c, h]

    @app.post("/model/{p}")
    def model(body: Model, p: str, q: int = 1, h: Annotated[str, fw.Header()] = "none") -> Any:
        return [body, p, q, h]

    @app.post("/optional")
    def optional(body: Model | None = None) -> Any:
        return body

    @app.post("/parts")
    def parts(body: Model, number: Annotated[int, fw.Body()] = 2) -> Any:
        return [body, number]

    @app.post("/form")
    def form(a: Annotated[int, fw.Form()] = 1) -> Any:
        return a

    return app


ASKS = [
    Ask("GET", "/x", b"q=3", [COOKIE, (b"h", b"own")]),
    Ask("GET", "/x", b"q=no"),
    *(
        Ask("POST", path, b"q=4", [kind, (b"h", b"own")], (content,))
        for path in ("/model/x", "/optional", "/parts")
        for kind, content in ((JSON, b'{"a": 2}'), (JSON, b'{"body": {"a": 3}}'), (JSON, b"["), (FORM, b"a=5"))
    ),
    Ask("POST", "/model/x"),
    Ask("POST", "/optional"),
    Ask("POST", "/form", b"", [FORM], (b"a=5",)),
    Ask("POST", "/form", b"", [JSON], (b'{"a": 5}',)),
]


def overriding(fw: Framework, log: list[Any], name: str) -> Callable[[Any], Any]:
    """What makes a request of a class that has one member of its own."""
    Request: Any = fw.Request

    class Body(Request):
        async def body(self) -> bytes:
            log.append("body")
            return b'{"a": 7}' if await super().body() else b""

    class Json(Request):
        async def json(self) -> Any:
            log.append("json")
            return {"a": 7}

    class Form(Request):
        def form(self, **options: Any) -> Any:
            log.append(("form", sorted(options)))
            return super().form(**options)

    class Query(Request):
        @property
        def query_params(self) -> QueryParams:
            return QueryParams("q=7")

    class Cookies(Request):
        @property
        def cookies(self) -> dict[str, str]:
            return {"c": "seven"}

    class Heads(Request):
        @property
        def headers(self) -> Headers:
            return Headers({"h": "seven", "content-type": "application/json"})

    kinds = {"body": Body, "json": Json, "form": Form, "query": Query, "cookies": Cookies, "headers": Heads}
    kind = kinds[name]
    return lambda request: kind(request.scope, request.receive)


@pytest.mark.parametrize("name", ["body", "json", "form", "query", "cookies", "headers"])
def test_members_of_a_subclass_are_asked(name: str) -> None:
    compare(lambda fw, log: routed(fw, overriding(fw, log, name)), ASKS)


def _set(request: Any, name: str, value: Any) -> None:
    setattr(request, name, value)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "JSON given": lambda request: _set(request, "_json", {"a": 7}),
    "body given": lambda request: _set(request, "_body", b'{"a": 7}'),
    "query given": lambda request: _set(request, "_query_params", QueryParams("q=7")),
    "cookies given": lambda request: _set(request, "_cookies", {"c": "seven"}),
    "headers given": lambda request: _set(request, "_headers", Headers({"h": "seven"})),
    "cookie edited": lambda request: request.cookies.update(c="seven"),
    "header added": lambda request: request.headers._list.insert(0, (b"h", b"seven")),
    "all read": lambda request: (request.query_params, request.cookies, request.headers),
    "query replaced": lambda request: request.scope.update(query_string=b"q=7"),
    "query replaced when read": lambda request: (request.query_params, request.scope.update(query_string=b"q=7")),
    "headers replaced when read": lambda request: (request.headers, request.scope.update(headers=[(b"h", b"seven")])),
    "path parameters replaced": lambda request: request.scope.update(path_params={"p": "seven"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_request_was_given_counts(change: str) -> None:
    def around(request: Any) -> Any:
        CHANGES[change](request)
        return request

    compare(lambda fw, log: routed(fw, around), ASKS)
