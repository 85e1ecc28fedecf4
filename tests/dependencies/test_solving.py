"""`solve_dependencies`, called with requests that were made by hand, as libraries for scripts and workers do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import pytest
from starlette.background import BackgroundTasks
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from support.frameworks import BOTH, FERRAPI, Framework

ABSENT = object()


class Endpoints:
    """Endpoints of one framework, by name; what they and their dependencies do is noted in `log`."""

    def __init__(self, fw: Framework) -> None:
        log: list[Any] = []
        self.log = log
        depends, body = fw.Depends, fw.Body

        def first() -> str:
            log.append("first")
            return "first"

        async def second(x: str = depends(first)) -> str:
            log.append("second")
            return x + " second"

        def anew(x: str = depends(first, use_cache=False)) -> str:
            return x

        def generator(x: str = depends(first)) -> Iterator[str]:
            log.append("generator in")
            yield "generator"
            log.append("generator out")

        async def of_function() -> AsyncIterator[str]:
            log.append("of function in")
            yield "of function"
            log.append("of function out")

        def number(n: int) -> int:
            log.append("number")
            return n

        def above(x: int = depends(number)) -> int:
            return x

        def failing() -> None:
            raise ValueError("failing")

        def tree(
            a: Any = depends(second),
            b: Any = depends(anew),
            c: Any = depends(generator),
            d: Any = depends(of_function, scope="function"),
        ) -> None: ...

        def invalid(
            request: fw.Request, tasks: fw.BackgroundTasks, a: Any = depends(first), b: Any = depends(above), c: int = 1
        ) -> None: ...

        def given(tasks: fw.BackgroundTasks, response: fw.Response, connection: HTTPConnection) -> None: ...

        def sent(a: int, h: str = fw.Header("none"), cookie: str = fw.Cookie("none"), b: str = "") -> None: ...

        def one_body(m: dict[str, Any] = body()) -> None: ...

        def two_bodies(m: dict[str, Any] = body(), n: int = body()) -> None: ...

        def wrong(a: Any = depends(first), b: Any = depends(failing)) -> None: ...

        self.by_name = {
            one.__name__: one for one in (tree, invalid, given, sent, one_body, two_bodies, wrong, above, number)
        }
        self.dependencies = {one.__name__: one for one in (first, second, anew, generator, of_function, number, above)}


def _cache(endpoints: Endpoints, filled: dict[str, str]) -> dict[Any, Any]:
    scopes = {"generator": "request", "of_function": "function"}
    return {(endpoints.dependencies[name], (), scopes.get(name, "")): value for name, value in filled.items()}


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | int | dict | None) else type(value).__name__


def solve(
    fw: Framework, name: str, scope: dict[str, Any], *, filled: Any = None, times: int = 1, **options: Any
) -> Any:
    """What `solve_dependencies` answers, what is in the cache then, and what has happened."""
    endpoints = Endpoints(fw)
    cache = None if filled is None else _cache(endpoints, filled)
    overrides = options.pop("overrides", None)
    if overrides is not None:
        options["dependency_overrides_provider"] = Response()
        options["dependency_overrides_provider"].dependency_overrides = {
            endpoints.dependencies[one]: (lambda value=value: value) for one, value in overrides.items()
        }

    async def once() -> Any:
        utils = fw.module("dependencies.utils")
        async with AsyncExitStack() as request_stack, AsyncExitStack() as function_stack, AsyncExitStack() as own:
            for stack, label in ((request_stack, "request"), (function_stack, "function"), (own, "own")):
                stack.callback(endpoints.log.append, f"{label} closes")
            stacks = {"fastapi_inner_astack": request_stack, "fastapi_function_astack": function_stack}
            full = {"type": "http", "headers": [], "query_string": "", **stacks, **scope}
            full = {key: value for key, value in full.items() if value is not ABSENT}
            request = Request(full) if full["type"] == "http" else WebSocket(full, None, None)  # type: ignore[arg-type]
            solved = await utils.solve_dependencies(
                request=request,
                dependant=utils.get_dependant(path="/", call=endpoints.by_name[name]),
                async_exit_stack=own,
                embed_body_fields=name == "two_bodies",
                dependency_cache=cache,
                **options,
            )
            assert cache is None or solved.dependency_cache is cache
            return (
                {key: _shown(value) for key, value in solved.values.items()},
                [(error["type"], error["loc"]) for error in solved.errors],
                _shown(solved.background_tasks),
                (dict(solved.response.headers), solved.response.status_code),
                sorted((key[0].__name__, *key[1:], value) for key, value in solved.dependency_cache.items()),
                list(endpoints.log),
            )

    outcomes: list[Any] = []
    for _ in range(times):
        try:
            outcomes.append(asyncio.run(once()))
        except Exception as error:
            outcomes.append(repr(error))
    return outcomes, endpoints.log


def same(name: str, scope: dict[str, Any], **options: Any) -> Any:
    theirs, ours = (solve(fw, name, scope, **options) for fw in BOTH)
    assert ours == theirs
    return ours


@pytest.mark.parametrize(
    "filled",
    [
        None,
        {},
        {"first": "known"},
        {"second": "known"},
        {"anew": "known", "generator": "known"},
        {"of_function": "known", "first": "known", "second": "known"},
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_results_are_taken_from_the_cache_and_put_into_it(filled: Any, times: int) -> None:
    same("tree", {}, filled=filled, times=times)


@pytest.mark.parametrize("query", ["n=z&c=3", "c=x", "n=1&c=x", "n=1", ""])
@pytest.mark.parametrize("filled", [{}, {"number": 3}, {"above": 4}])
@pytest.mark.parametrize("name", ["invalid", "above", "number"])
def test_what_is_valid_is_told_beside_the_errors(name: str, filled: Any, query: str) -> None:
    same(name, {"query_string": query}, filled=filled)


@pytest.mark.parametrize("query", ["a=1&b=%20z&b=", b"a=1&b=%20z&b=", "", b"a=%C3%A9"])
@pytest.mark.parametrize("headers", [[], [(b"h", b"v"), (b"cookie", b"cookie=c; x=y")]])
@pytest.mark.parametrize(
    "more", [{}, {"path_params": {"a": "7"}}, {"path_params": None}, {"path": "/p", "method": "GET"}]
)
def test_scopes_with_what_parameters_need(query: str | bytes, headers: Any, more: dict[str, Any]) -> None:
    same("sent", {"query_string": query, "headers": headers, **more})


@pytest.mark.parametrize("name", ["tree", "sent", "given"])
def test_websockets(name: str) -> None:
    same(name, {"type": "websocket", "query_string": "a=5", "path": "/w"})


@pytest.mark.parametrize("name", ["one_body", "two_bodies"])
@pytest.mark.parametrize(
    "options", [{}, {"body": None}, {"body": {"m": {"z": 1}, "n": "x"}}, {"body": [1]}, {"body": b""}]
)
def test_bodies(name: str, options: dict[str, Any]) -> None:
    same(name, {}, **options)


@pytest.mark.parametrize(
    "options", [{}, {"response": Response(status_code=202)}, {"background_tasks": BackgroundTasks()}]
)
@pytest.mark.parametrize("name", ["given", "tree"])
def test_objects_that_the_caller_gives(name: str, options: dict[str, Any]) -> None:
    same(name, {}, **options)


@pytest.mark.parametrize("overrides", [{"first": "other"}, {"number": 5, "of_function": "other"}, {}])
@pytest.mark.parametrize("name", ["tree", "invalid"])
def test_overrides(name: str, overrides: dict[str, Any]) -> None:
    same(name, {"query_string": "n=1"}, overrides=overrides, filled={})


def test_errors_of_dependencies_are_raised() -> None:
    same("wrong", {}, filled={})


@pytest.mark.parametrize("missing", ["fastapi_inner_astack", "headers", "query_string"])
def test_scope_that_lacks_what_nothing_needs(missing: str) -> None:
    """FastAPI needs them all."""
    outcomes, log = solve(FERRAPI, "tree", {missing: ABSENT})
    assert outcomes[0][0]["a"] == "first second"
    assert "generator out" in log


@pytest.mark.parametrize("path", ["/ws/1?q=2", "/included/ws/2", "/ws/x", "/included/ws/1?q=x"])
def test_replacement_is_asked_for_websockets_too(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced after the first connection; tracing tools note the values and the errors there."""

    def ask(fw: Framework) -> Any:
        log: list[Any] = []
        received: list[Any] = []  # by a client that doesn't wait for the dependency
        app, router = fw.FastAPI(), fw.APIRouter(prefix="/included")
        own = fw.routing.solve_dependencies

        def dependency(q: int = 1) -> Iterator[int]:
            yield q
            log.append("closed")

        async def endpoint(websocket: fw.WebSocket, n: int, q: int = fw.Depends(dependency)) -> None:
            await websocket.accept()
            await websocket.send_json([n, q])
            await websocket.close()

        async def solve(**options: Any) -> Any:
            log.append((sorted(options), type(options["request"]).__name__, options["embed_body_fields"]))
            solved = await own(**options)
            log.append((sorted(solved.values), solved.errors))
            return solved

        app.websocket("/ws/{n}")(endpoint)
        router.websocket("/ws/{n}")(endpoint)
        app.include_router(router)
        client = fw.module("testclient").TestClient(app)
        for replaced in (False, True):
            if replaced:
                monkeypatch.setattr(fw.routing, "solve_dependencies", solve)
            try:
                with client.websocket_connect(path) as websocket:
                    received.append(websocket.receive_json())
            except WebSocketDisconnect as end:
                received.append((end.code, end.reason))
        return log, received

    theirs, ours = (ask(fw) for fw in BOTH)
    assert ours == theirs


class Own(Request):
    query_params = property(lambda self: QueryParams("q=9"))  # of a subclass
    cookies = property(lambda self: {"c": "9"})  # of a subclass
    headers = property(lambda self: Headers({"h": "9"}))  # of a subclass
    path_params = property(lambda self: {"p": "9"})  # of a subclass


CHANGES: dict[str, str] = {
    "nothing": "",
    "a query parameter": "request.query_params._dict['q'] = '5'",
    "the query of the scope, which nobody has read": "scope['query_string'] = b'q=7'",
    "the query of the scope, which somebody has read": "request.query_params; scope['query_string'] = b'q=7'",
    "the query": "request._query_params = QueryParams('q=8&l=8&l=9')",
    "a cookie": "request.cookies['c'] = '5'",
    "the cookies": "request._cookies = {'c': '8'}",
    "the headers of the scope, whose cookies somebody has read": "request.cookies; scope['headers'] = [(b'h', b'2')]",
    "the headers of the scope, which somebody has read": "request.headers; scope['headers'] = [(b'h', b'7')]",
    "the headers of the scope, made anew": "scope['headers'] = [(b'h', b'7')]; vars(request).pop('_headers', 0)",
    "the headers": "request._headers = Headers({'h': '8'})",
    "a path parameter": "request.path_params['p'] = '5'",
}


@pytest.mark.parametrize("kind", [Request, Own])
@pytest.mark.parametrize("change", CHANGES)
def test_parameters_are_what_the_request_says_by_now(change: str, kind: type[Request]) -> None:
    async def values(fw: Framework) -> Any:
        def endpoint(
            p: int = fw.Path(),
            q: int | None = None,
            l: list[int] = fw.Query([]),  # noqa: E741  # one letter for each source
            h: int | None = fw.Header(None),
            c: int | None = fw.Cookie(None),
        ) -> None: ...

        headers = [(b"h", b"1"), (b"cookie", b"c=1")]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/1", "headers": headers}
        scope |= {"query_string": b"q=1&l=1", "path_params": {"p": "1"}}
        utils = import_module(f"{fw.package}.dependencies.utils")
        async with AsyncExitStack() as stack:
            scope |= {"fastapi_inner_astack": stack, "fastapi_function_astack": stack}
            request = kind(scope)
            exec(CHANGES[change], {**globals(), "request": request, "scope": scope})
            dependant = utils.get_dependant(path="/{p}", call=endpoint)
            solved = await utils.solve_dependencies(
                request=request, dependant=dependant, async_exit_stack=stack, embed_body_fields=False
            )
        return solved.values, solved.errors

    theirs, ours = (asyncio.run(values(fw)) for fw in BOTH)
    assert ours == theirs


@pytest.mark.parametrize("failure", [None, ValueError("in between")])
def test_stacks_may_be_left_in_another_task(failure: Exception | None) -> None:
    log: list[Any] = []

    def generator() -> Iterator[str]:
        try:
            yield "generator"
        except ValueError as exc:
            log.append(str(exc))
        log.append("generator out")

    async def async_generator() -> AsyncIterator[str]:
        yield "async generator"
        log.append("async generator out")

    def call(a: str = FERRAPI.Depends(generator), b: str = FERRAPI.Depends(async_generator)) -> None: ...

    async def solved_and_left() -> None:
        stack = AsyncExitStack()
        scope = {"type": "http", "fastapi_inner_astack": stack, "fastapi_function_astack": stack}
        utils = FERRAPI.module("dependencies.utils")
        await asyncio.create_task(
            utils.solve_dependencies(
                request=Request(scope),
                dependant=utils.get_dependant(path="/", call=call),
                async_exit_stack=stack,
                embed_body_fields=False,
            )
        )
        await asyncio.create_task(stack.__aexit__(type(failure) if failure else None, failure, None))

    asyncio.run(solved_and_left())
    expected = ["async generator out", "generator out"]
    assert log == (["in between", "generator out"] if failure else expected)
