"""What passes through middleware: context variables, exception groups, background tasks, addresses, mount points."""

import asyncio
import contextvars
import warnings
from typing import Any

import pytest
from starlette.exceptions import StarletteDeprecationWarning
from support.asgi import Ask
from support.compare import Make, compare
from support.frameworks import Framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.middleware.wsgi import WSGIMiddleware

SET_BELOW: contextvars.ContextVar[str] = contextvars.ContextVar("set_below", default="unset")
SET_ABOVE: contextvars.ContextVar[str] = contextvars.ContextVar("set_above", default="unset")
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def layered(kinds: tuple[str, ...]) -> Make:
    """An application whose layers, dependency and endpoint set and see context variables."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        class Plain:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                SET_ABOVE.set("plain")
                SET_BELOW.set("unset")
                await self.app(scope, receive, send)
                log.append(("plain", SET_BELOW.get()))

        async def function(request: Any, call_next: Any) -> Any:
            SET_ABOVE.set("function")
            SET_BELOW.set("unset")
            response = await call_next(request)
            log.append(("function", SET_BELOW.get()))
            return response

        for kind in kinds:
            if kind == "plain":
                app.add_middleware(Plain)
            else:
                app.middleware("http")(function)

        async def dependency() -> Any:
            log.append(("dependency", SET_ABOVE.get()))
            SET_BELOW.set("dependency")
            yield
            log.append(("end", SET_BELOW.get()))

        @app.get("/")
        async def endpoint(d: Any = fw.Depends(dependency)) -> str:
            log.append(("endpoint", SET_ABOVE.get(), SET_BELOW.get()))
            SET_BELOW.set("endpoint")
            return "done"

        return app

    return make


@pytest.mark.parametrize(
    "kinds",
    [("plain",), ("function",), ("plain", "function"), ("function", "plain"), ("plain", "plain")],
    ids=" around ".join,
)
def test_context_variables(kinds: tuple[str, ...]) -> None:
    answer = compare(layered(kinds), [Ask(), Ask()])[0]
    if "function" not in kinds:
        assert ("plain", "endpoint") in answer.log


@pytest.mark.parametrize("around", ["nothing", "function"])
@pytest.mark.parametrize("place", ["endpoint", "dependency", "after the yield", "background"])
def test_an_exception_group_arrives_as_it_was(place: str, around: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        group = ExceptionGroup("several", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])

        def fail(here: str) -> None:
            if here == place:
                raise group

        def note(where: str, exc: BaseException) -> None:
            log.append((where, exc is group, repr(exc), exc.__cause__ is None, exc.__context__ is None))

        async def dependency() -> Any:
            fail("dependency")
            try:
                yield
            except BaseException as exc:
                note("dependency", exc)
                raise
            fail("after the yield")

        @app.get("/")
        async def endpoint(tasks: fw.BackgroundTasks, d: Any = fw.Depends(dependency)) -> str:
            tasks.add_task(fail, "background")
            fail("endpoint")
            return "done"

        class Outermost:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                try:
                    await self.app(scope, receive, send)
                except BaseException as exc:
                    note("outermost", exc)
                    raise

        async def function(request: Any, call_next: Any) -> Any:
            try:
                return await call_next(request)
            except BaseException as exc:
                note("function", exc)
                raise

        if around == "function":
            app.middleware("http")(function)
            app.add_middleware(Outermost)

        @app.exception_handler(ExceptionGroup)
        async def handler(request: Any, exc: Any) -> Any:
            note("handler", exc)
            return fw.responses.JSONResponse({"errors": len(exc.exceptions)}, 418)

        return app

    answer = compare(make, [Ask(), Ask()])[0]
    assert answer.log or answer.error == "RuntimeError"  # the handler comes too late for an answer


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("around", [0, 1, 2])
def test_background_tasks_begin_after_the_response_and_end(around: int, raises: bool) -> None:
    """Also if the client leaves as soon as it has the answer."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        class Noting:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                async def noting(message: Any) -> None:
                    log.append((message["type"], message.get("more_body", False)))
                    await send(message)

                await self.app(scope, receive, noting)

        async def function(request: Any, call_next: Any) -> Any:
            return await call_next(request)

        for _ in range(around):
            app.middleware("http")(function)
        app.add_middleware(Noting)

        async def work() -> None:
            log.append("begins")
            for _ in range(20):
                await asyncio.sleep(0)
            log.append("ends")
            if raises:
                raise LookupError("background")

        @app.get("/")
        async def endpoint(tasks: fw.BackgroundTasks) -> str:
            tasks.add_task(work)
            return "done"

        return app

    answer = compare(make, [Ask(), Ask()])[0]
    body = max(index for index, entry in enumerate(answer.log) if entry[0] == "http.response.body")
    assert answer.log.index("ends") > answer.log.index("begins")
    if not around:
        assert answer.log.index("begins") > body


@pytest.mark.parametrize("host", [b"[::1]:8000", b"[::1]", b"[2001:db8::7]:443", b"[::1", b"::1", b"[::1]:99999"])
def test_addresses_of_ipv6(host: bytes) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/where")
        async def where(request: fw.Request) -> dict[str, Any]:
            url = request.url
            return {
                "url": str(url),
                "hostname": url.hostname,
                "port": url.port,
                "base": str(request.base_url),
                "route": str(request.url_for("where")),
            }

        return app

    assert compare(make, [Ask(path="/where", query=b"a=1", headers=[(b"host", host)])])[0].status == 200


@pytest.mark.parametrize("path", ["/old", "/old/", "/old/a", "/older", "/old%2Fa", "/old//a"])
@pytest.mark.parametrize("root_path", ["", "/api"])
def test_a_wsgi_application_behind_a_mount(path: str, root_path: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        def wsgi(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("content-type", "text/plain")])
            return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

        app.mount("/old", WSGIMiddleware(wsgi))

        @app.get("/older")
        async def older() -> str:
            return "a route of its own"

        return app

    compare(make, [Ask(path=root_path + path, root_path=root_path)], "asgi")


@pytest.mark.parametrize("chunks", [(b"a=1&b=2",), (b"a=1", b"&b=2"), (b"a=1&", b"b=2", b""), (b"", b"a=1&b=2")])
def test_a_form_whose_stream_ends_in_all_ways(chunks: tuple[bytes, ...]) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.post("/")
        async def endpoint(request: fw.Request, a: int = fw.Form(), b: int = fw.Form()) -> list[int]:
            return [a, b]

        @app.post("/own")
        async def own(request: fw.Request) -> dict[str, Any]:
            return dict(await request.form())

        return app

    found = compare(make, [Ask("POST", path, b"", [FORM], chunks) for path in ("/", "/own")])
    assert [answer.status for answer in found] == [200, 200]
