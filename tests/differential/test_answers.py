"""FastAPI and ferrapi answer the same requests the same way: rules 9 to 16 (see `test_differential.py`)."""

import random
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asgi import Ask
from support.compare import answers, compare, compare_documents, registration
from support.frameworks import BOTH, Framework

from . import body_shapes as bodies
from . import engine_shapes as engine
from . import parameter_shapes as parameters
from . import response_shapes as responses
from .common import compare_or_both_refuse, examples

pytestmark = pytest.mark.usefixtures("quiet")


class TestInjectedResponse:
    """9: headers are appended, the status is a suggestion, and a returned response wins."""

    @pytest.mark.parametrize("status", ["keep", None, 201, 204, 304, 299])
    @pytest.mark.parametrize("declared", [None, 201, 204])
    @pytest.mark.parametrize("returned", ["value", "none", "response", "response task", "json", "json task"])
    def test_headers_status_and_tasks(self, status: Any, declared: int | None, returned: str) -> None:
        compare(engine.injected(status, returned, declared=declared), [Ask()])
        compare_or_both_refuse(engine.injected(status, returned, declared=declared, model=True), [Ask()])

    @pytest.mark.parametrize("code", [100, 101, 199, 200, 204, 205, 206, 299, 304, 307, 404, 500, 599, 999])
    @pytest.mark.parametrize("kind", ["declared", "declared value", "injected", "raised", "returned", "plain"])
    def test_statuses(self, code: int, kind: str) -> None:
        compare(engine.statuses(code, kind), [Ask()])


class TestResponders:
    """10: what an endpoint's value becomes, for each kind of value, response model and response class."""

    @pytest.mark.parametrize("value", responses.VALUES)
    def test_values_and_models(self, value: str) -> None:
        for model in responses.MODELS:
            compare(responses.respond(value, model, {}), responses.ASKS)

    @pytest.mark.parametrize("options", responses.OPTIONS[1:], ids=str)
    def test_options(self, options: dict[str, Any]) -> None:
        for value in (
            "dict",
            "dict extra",
            "out",
            "out unset",
            "more",
            "mores",
            "computed",
            "whole",
            "data",
            "datas",
            "arbitrary",
        ):
            for model in ("no model", "out", "outs", "optional", "union", "data", "typed", "computed", "whole"):
                compare(responses.respond(value, model, options), responses.ASKS)

    @pytest.mark.parametrize("response_class", responses.RESPONSE_CLASSES[1:])
    def test_response_classes(self, response_class: str) -> None:
        for value in (
            "none",
            "str",
            "nan",
            "dict",
            "decimal",
            "timedelta",
            "bytes",
            "bad bytes",
            "more",
            "set",
            "surrogate",
            "url",
        ):
            for model in ("no model", "any", "out", "str", "bytes"):
                compare(responses.respond(value, model, {}, response_class), responses.ASKS)

    @pytest.mark.parametrize("value", ["out bad", "dict bad", "computed", "nan", "deep", "more"])
    def test_sync_endpoints(self, value: str) -> None:
        for model in ("no model", "out", "computed", "dict"):
            compare(responses.respond(value, model, {}, sync=True), responses.ASKS)


class TestRouting:
    """11: matching, 404 and 405, redirects, mounts, live includes. Random tables are in `routing/`."""

    @staticmethod
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(root_path="")
        inner = fw.APIRouter(redirect_slashes=False)
        mounted = fw.FastAPI(openapi_url=None)

        @app.get("/items/{item}")
        async def item(item: str) -> Any:
            return item

        @app.post("/items/{item:int}", status_code=201)
        async def number(item: int) -> Any:
            return item

        @app.delete("/items/me")
        async def me() -> Any:
            return "me"

        @inner.get("/x/")
        async def slash() -> Any:
            return "slash"

        @inner.get("")
        async def empty() -> Any:
            return "empty"

        @inner.api_route("/many", methods=["GET", "HEAD", "patch"])
        async def many(request: fw.Request) -> Any:
            return request.method

        @mounted.get("/in/")
        async def within(request: fw.Request) -> Any:
            return [request.scope["root_path"], str(request.url), request.scope["path"]]

        app.include_router(inner, prefix="/inner")
        app.include_router(inner, prefix="/again/{which}")
        app.mount("/mounted/{tenant}", mounted)

        @app.get("/mounted/x/after")
        async def hidden() -> Any:
            return "hidden"

        @app.get("/{rest:path}/end")
        async def rest(rest: str) -> Any:
            return rest

        @app.get("/float/{value:float}")
        async def floating(value: Any) -> Any:
            return repr(value)

        return app

    PATHS = [
        "/items/a",
        "/items/1",
        "/items/me",
        "/items/",
        "/items",
        "/items/a/",
        "/items/a\nb",
        "/items/1\n",
        "/items/\ud800",
        "/inner",
        "/inner/",
        "/inner/x",
        "/inner/x/",
        "/inner/many",
        "/again/1/many",
        "/again//many",
        "/again/1/x",
        "/mounted/t/in/",
        "/mounted/t/in",
        "/mounted/t/",
        "/mounted/t",
        "/mounted/x/after",
        "/mounted",
        "/a/b/end",
        "//end",
        "/docs",
        "/docs/",
        "/openapi.json",
        "/redoc",
        "/",
        "",
        "/float/1.5",
        "/float/1",
        "/float/.5",
        "*",
        "items/a",
        "/end",
    ]

    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH", "get", "TRACE", "X"])
    def test_paths_and_methods(self, method: str) -> None:
        asks = [Ask(method, path, query) for path in self.PATHS for query in (b"", b"a=b")]
        expected, actual = (answers(fw, self.make, asks) for fw in BOTH)
        for ask, theirs, ours in zip(asks, expected, actual, strict=True):
            if ask.path in ("/docs", "/redoc", "/openapi.json"):  # the pages are compared in openapi/
                assert (ours.status, ours.error) == (theirs.status, theirs.error), ask
            else:
                assert ours == theirs, ask

    @pytest.mark.parametrize("root_path", ["/r", "/items", "/r/", "é"])
    def test_root_paths(self, root_path: str) -> None:
        paths = [
            "/items/a",
            "/items/items/a",
            "/r/items/a",
            "/items",
            "/inner/x",
            "/r/inner/x",
            "/mounted/t/in",
            "/r/mounted/t/in/",
        ]
        compare(self.make, [Ask(path=path, root_path=root_path) for path in paths])

    def test_custom_route_classes(self) -> None:
        compare(engine.custom_routes, engine.CUSTOM_ASKS)

    def test_documents(self) -> None:
        for make in (engine.edits, engine.requests, engine.websockets, bodies.several):
            compare_documents(make)


DEAD = {"status_code", "response_class", "response_field", "path", "endpoint", "name", "prefix"}
"""Edits that have no effect."""

SINGLE = {"replace", "replace in place", "remove", "delete", "debug", "dependency clear", "dependency call"}
"""Edits that leave nothing for others to edit, or whose answer is a page of its own."""


class TestLiveEdits:
    """12: which edits of a running application take effect."""

    @pytest.mark.parametrize("edit", engine.EDITS)
    def test_one_edit(self, edit: str) -> None:
        compare(engine.edits, engine.edit_asks([edit]))

    @pytest.mark.parametrize("dead", sorted(DEAD))
    @pytest.mark.parametrize("live", ["append", "dependency set", "app"])
    def test_an_edit_without_effect_has_none_after_another_edit(self, dead: str, live: str) -> None:
        compare(engine.edits, engine.edit_asks([dead, live]))

    @pytest.mark.parametrize("first", ["insert", "reverse", "methods clear", "methods set"])
    @pytest.mark.parametrize("second", ["methods add", "methods clear"])
    def test_methods_edited_in_place(self, first: str, second: str) -> None:
        compare(engine.edits, engine.edit_asks([first, second]))

    @pytest.mark.parametrize("seed", range(20))
    def test_several_edits(self, seed: int) -> None:
        edits = sorted(set(engine.EDITS) - SINGLE - {"param_convertors"})  # which one of several raises may differ
        compare(engine.edits, engine.edit_asks(random.Random(seed).sample(edits, 4)))


class TestParameters:
    """13: parameters of all types from all sources, in any spelling."""

    @pytest.mark.parametrize("type_name", parameters.TYPES)
    @pytest.mark.parametrize("kind", ["Query", "Header", "Cookie"])
    @examples(6)
    @given(data=st.data())
    def test_one_parameter(self, kind: str, type_name: str, data: st.DataObject) -> None:
        default = data.draw(st.sampled_from([name for name, _ in parameters.DEFAULTS]))
        asks = data.draw(st.lists(parameters.params_ask(kind), min_size=6, max_size=6))
        compare_or_both_refuse(parameters.one_parameter(kind, type_name, default), asks)

    @pytest.mark.parametrize("kind", ["Query", "Header", "Cookie", "Form"])
    @pytest.mark.parametrize("model", parameters.MODELS)
    @examples(12)
    @given(data=st.data(), default=st.booleans(), beside=st.booleans(), convert=st.booleans())
    def test_parameter_models(
        self, kind: str, model: str, data: st.DataObject, default: bool, beside: bool, convert: bool
    ) -> None:
        make = parameters.parameter_model(kind, model, default=default, beside=beside, convert=convert)
        compare_or_both_refuse(make, data.draw(st.lists(parameters.model_asks(kind), min_size=5, max_size=5)))

    @pytest.mark.parametrize("template", ["/{p}", "/{p:path}", "/{p:int}", "/{p:float}", "/{p:uuid}", "/x{p}.{q}"])
    @examples(12)
    @given(
        type_name=st.sampled_from(sorted(parameters.TYPES)), texts=st.lists(parameters.TEXTS, min_size=6, max_size=6)
    )
    def test_path_parameters(self, template: str, type_name: str, texts: list[str]) -> None:
        paths = [f"/{text}" for text in texts] + [f"/x{text}.y" for text in texts]
        compare_or_both_refuse(parameters.path_parameter(type_name, template), [Ask(path=path) for path in paths])


class TestRegistration:
    """14: what can't work is refused by the decorator, by an error of the same family."""

    @staticmethod
    def declare(name: str) -> Any:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            class Unknown:
                pass

            def generator() -> Any:
                yield

            def outer(x: Any = fw.Depends(generator, scope="function")) -> Any:
                yield

            rows: dict[str, Any] = {
                "unknown type": lambda: app.get("/")(_typed(Unknown)),
                "unknown return": lambda: app.get("/")(_returning(Unknown)),
                "dict in query": lambda: app.get("/")(_typed(dict, fw.Query())),
                "list of dicts in query": lambda: app.get("/")(_typed(list[dict], fw.Query())),  # type: ignore[type-arg]
                "list in path": lambda: app.get("/{p}")(_typed(list[int])),
                "model in path": lambda: app.get("/{p}")(_typed(Annotated[responses.Out, fw.Path()])),
                "default in path": lambda: app.get("/{p}")(_typed(int, 3)),
                "path default": lambda: app.get("/{p}")(_typed(Annotated[int, fw.Path()], 3)),
                "default twice": lambda: app.get("/")(_typed(Annotated[int, fw.Query(default=1)], 2)),
                "query and depends": lambda: app.get("/")(_typed(Annotated[int, fw.Query()], fw.Depends(generator))),
                "two depends": lambda: app.get("/")(
                    _typed(Annotated[int, fw.Depends(generator)], fw.Depends(generator))
                ),
                "request declared": lambda: app.get("/")(_typed(fw.Request, fw.Query())),
                "narrow scope": lambda: app.get("/")(_typed(int, fw.Depends(outer))),
                "204 with a model": lambda: app.get("/", status_code=204, response_model=int)(lambda: None),
                "no prefix slash": lambda: fw.APIRouter(prefix="x"),
                "prefix ends": lambda: fw.APIRouter(prefix="/x/"),
                "no path": lambda: app.get("x")(lambda: None),
                "repeated name": lambda: app.get("/{a}/{a}")(lambda a: None),
                "unknown convertor": lambda: app.get("/{a:nothing}")(lambda a: None),
                "bad response class": lambda: app.get("/", responses={200: 3})(lambda: None),
                "not callable": lambda: app.get("/")(3),
                "include itself": lambda: app.router.include_router(app.router),
                "empty twice": lambda: app.include_router(_with_empty(fw)),
                "several form models": lambda: app.post("/")(_typed(Annotated[responses.Out | int, fw.Form()])),
                "uploads in query": lambda: app.post("/")(_typed(fw.UploadFile, fw.Query())),
                "forward reference": lambda: app.get("/")(_typed("Nowhere")),
                "alias choices": lambda: app.get("/")(_typed(Annotated[int, fw.Query(gt=1)], fw.Query())),
                "fine": lambda: app.get("/")(_typed(int)),
            }
            rows[name]()
            return app

        return make

    ROWS = [
        "unknown type",
        "unknown return",
        "dict in query",
        "list of dicts in query",
        "list in path",
        "model in path",
        "default in path",
        "path default",
        "default twice",
        "query and depends",
        "two depends",
        "request declared",
        "narrow scope",
        "204 with a model",
        "no prefix slash",
        "prefix ends",
        "no path",
        "repeated name",
        "fine",
        "unknown convertor",
        "bad response class",
        "not callable",
        "include itself",
        "empty twice",
        "several form models",
        "uploads in query",
        "forward reference",
        "alias choices",
    ]

    @pytest.mark.parametrize("row", ROWS)
    def test_mistakes(self, row: str) -> None:
        theirs, ours = registration(self.declare(row))
        assert (theirs[0] == "none") == (ours[0] == "none"), (theirs, ours)
        assert ours[1] >= theirs[1], "where FastAPI asserts, ferrapi's error is an AssertionError too"
        assert ours[2] >= theirs[2], "where FastAPI raises a ValueError, ferrapi's error is one too"


def _typed(annotation: Any, *default: Any) -> Any:
    async def endpoint(p: Any) -> Any:
        return p

    endpoint.__annotations__ = {"p": annotation}
    endpoint.__defaults__ = default or None
    return endpoint


def _returning(annotation: Any) -> Any:
    async def endpoint() -> Any: ...

    endpoint.__annotations__ = {"return": annotation}
    return endpoint


def _with_empty(fw: Framework) -> Any:
    router = fw.APIRouter()
    router.add_api_route("", lambda: None)
    return router


class TestSpecialArrangements:
    """15: subclasses, wrappers, middleware and mounts change nothing about the answers."""

    @staticmethod
    def arranged(kind: str) -> Any:
        def make(fw: Framework, log: list[Any]) -> Any:
            app: Any
            if kind in ("subclass", "stack"):
                app = engine.edits(_Subclassed(fw, kind, log), log)  # type: ignore[arg-type]  # it is like one
                return app
            app = engine.edits(fw, log)
            if kind == "wrapped":
                return _Wrapper(app, log)
            if kind == "mounted":
                outer = fw.FastAPI()
                outer.mount("/in", app)
                outer.mount("/", app)
                return outer
            if kind == "starlette":
                from starlette.applications import Starlette
                from starlette.routing import Mount

                return Starlette(routes=[Mount("/", app=app)])
            if kind == "gzip":
                app.add_middleware(fw.middleware.gzip.GZipMiddleware, minimum_size=1)
            if kind == "cors":
                app.add_middleware(fw.module("middleware.cors").CORSMiddleware, allow_origins=["*"])
            if kind == "base":

                @app.middleware("http")
                async def middleware(request: Any, call_next: Any) -> Any:
                    log.append("in")
                    response = await call_next(request)
                    log.append("out")
                    return response

            return app

        return make

    @pytest.mark.parametrize("kind", ["subclass", "stack", "wrapped", "mounted", "starlette", "cors", "base"])
    def test_arrangements(self, kind: str) -> None:
        asks = [Ask(ask.method, ask.path, headers=[(b"origin", b"http://o")]) for ask in engine.EDIT_ASKS]
        compare(self.arranged(kind), asks)

    def test_the_request_object_everywhere(self) -> None:
        compare(engine.requests, [ask for ask in engine.REQUEST_ASKS if ask.path != "/scope"])

    def test_websockets(self) -> None:
        compare(engine.websockets, engine.WEBSOCKET_ASKS)


class _Subclassed:
    """A framework whose application class has been subclassed."""

    def __init__(self, fw: Framework, kind: str, log: list[Any]) -> None:
        self._fw = fw

        class Application(fw.FastAPI):
            if kind == "subclass":

                async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                    log.append(("called", scope["path"]))
                    await super().__call__(scope, receive, send)
            else:

                def build_middleware_stack(self) -> Any:
                    log.append("built")
                    return _Wrapper(super().build_middleware_stack(), log)

        self.FastAPI = Application

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fw, name)


class _Wrapper:
    """An ASGI application around another."""

    def __init__(self, app: Any, log: list[Any]) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.log.append("wrapped")
        await self.app(scope, receive, send)


class TestPublicFunctions:
    """16: functions that third parties call give what FastAPI's give."""

    @staticmethod
    async def solve(fw: Framework, query: bytes) -> Any:
        from contextlib import AsyncExitStack

        utils = fw.module("dependencies.utils")
        log: list[Any] = []

        def sub(r: str = "r") -> Any:
            log.append("open")
            yield r
            log.append("close")

        async def call(
            request: fw.Request, a: int, tasks: fw.BackgroundTasks, s: Any = fw.Depends(sub), b: str = "b"
        ) -> Any: ...

        dependant = utils.get_dependant(path="/", call=call)
        request = fw.Request(Ask(query=query).scope())
        async with AsyncExitStack() as stack:
            request.scope["fastapi_inner_astack"] = stack
            request.scope["fastapi_function_astack"] = stack
            solved = await utils.solve_dependencies(
                request=request, dependant=dependant, async_exit_stack=stack, embed_body_fields=False
            )
        shown = {
            key: value if isinstance(value, (str, int)) else type(value).__name__
            for key, value in solved.values.items()
        }
        return shown, solved.errors, type(solved.background_tasks).__name__, log

    @pytest.mark.parametrize("query", [b"a=1", b"a=x&r=2", b"", b"a=1&b=2&r=3"])
    def test_solve_dependencies(self, query: bytes) -> None:
        import anyio

        theirs, ours = (anyio.run(self.solve, fw, query) for fw in BOTH)
        assert ours == theirs

    @pytest.mark.parametrize("kind", ["async", "sync"])
    def test_get_request_handler(self, kind: str) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            utils = fw.module("dependencies.utils")

            async def endpoint(a: int, response: fw.Response) -> Any:
                response.headers["x-a"] = "1"
                return {"a": a}

            def sync_endpoint(a: int) -> Any:
                return {"a": a}

            chosen = endpoint if kind == "async" else sync_endpoint
            handler = fw.routing.get_request_handler(
                dependant=utils.get_dependant(path="/", call=chosen), status_code=202
            )
            app = fw.FastAPI()
            app.router.routes.append(fw.routing.APIRoute("/other", chosen))
            app.add_route("/", fw.module("routing").request_response(handler))
            return app

        compare(make, [Ask(query=b"a=1"), Ask(query=b"a=x"), Ask(), Ask(path="/other", query=b"a=2")])

    @pytest.mark.parametrize(
        "content", [{"a": 1, "b": None}, {"a": "x"}, responses.More(a=1), responses.Out(a=1), None]
    )
    def test_serialize_response(self, content: Any) -> None:
        import anyio

        async def serialize(fw: Framework) -> Any:
            field = fw.module("utils").create_model_field("out", responses.Out, mode="serialization")
            try:
                return await fw.routing.serialize_response(field=field, response_content=content, exclude_none=True)
            except Exception as exc:
                return type(exc).__name__

        theirs, ours = (anyio.run(serialize, fw) for fw in BOTH)
        assert ours == theirs
