"""Dependencies of the application (``scope="app"``): opened once, closed with it, never part of a request."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
import pytest
from ferrapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, Request, Response, Security, WebSocket
from ferrapi.exceptions import CircularDependencyError, DependencyScopeError
from ferrapi.middleware.gzip import GZipMiddleware
from ferrapi.routing._table import Target
from ferrapi.security import SecurityScopes
from ferrapi.testclient import TestClient
from support.asgi import Ask, exchange
from support.wire import Wire, configured

LOG: list[str] = []


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


def settings() -> str:
    LOG.append("settings")
    return "real"


async def pool(name: Annotated[str, Depends(settings, scope="app")]) -> AsyncIterator[str]:
    LOG.append(f"open {name} pool")
    yield f"{name} pool"
    LOG.append(f"close {name} pool")


def cache(below: Annotated[str, Depends(pool, scope="app")]) -> Iterator[str]:
    LOG.append("open cache")
    yield f"cache of {below}"
    LOG.append("close cache")


Pool = Annotated[str, Depends(pool, scope="app")]
Cache = Annotated[str, Depends(cache, scope="app")]


def per_request(value: Pool) -> str:
    LOG.append("request")
    return value.upper()


def made(**options: Any) -> FastAPI:
    app = FastAPI(**options)
    router = APIRouter(prefix="/in", dependencies=[Depends(cache, scope="app")])

    @app.get("/async")
    async def asynchronous(value: Pool, upper: Annotated[str, Depends(per_request)]) -> list[str]:
        return [value, upper]

    @app.get("/sync")
    def synchronous(value: Cache) -> str:
        return value

    @app.get("/task")
    async def with_task(value: Pool, tasks: BackgroundTasks) -> None:
        tasks.add_task(LOG.append, f"task with {value}")

    @router.get("/plain")
    def plain() -> None: ...

    @router.websocket("/socket")
    async def socket(socket: WebSocket, value: Cache) -> None:
        await socket.accept()
        await socket.send_text(value)
        await socket.close()

    app.include_router(router)
    return app


async def over_asgi(app: FastAPI, path: str) -> bytes:
    return (await exchange(app, Ask(path=path))).body


async def over_http11(app: FastAPI, path: str) -> bytes:
    wire = Wire(configured(app))
    await wire.feed(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    while wire.state.tasks:
        await asyncio.wait(list(wire.state.tasks))
    await wire.settle()
    await wire.lose()
    return wire.written.partition(b"\r\n\r\n")[2]


TRANSPORTS = pytest.mark.parametrize("transport", [over_asgi, over_http11])


def test_it_is_opened_at_start_up_in_the_order_of_declaration_and_closed_at_the_end_the_last_first() -> None:
    with TestClient(made()) as client:
        assert LOG == ["settings", "open real pool", "open cache"]
        assert client.get("/async").json() == ["real pool", "REAL POOL"]
        assert client.get("/sync").json() == "cache of real pool"
        assert client.get("/in/plain").status_code == 200
        with client.websocket_connect("/in/socket") as socket:
            assert socket.receive_text() == "cache of real pool"
        assert client.get("/task").status_code == 200
        assert LOG[3:] == ["request", "task with real pool"]
    assert LOG[5:] == ["close cache", "close real pool"]


def test_it_lives_inside_of_the_applications_own_lifespan() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        LOG.append("start")
        yield
        LOG.append("stop")

    with TestClient(made(lifespan=lifespan)):
        pass
    assert (LOG[0], LOG[-1]) == ("start", "stop")


@TRANSPORTS
def test_without_a_lifespan_the_first_use_opens_it_and_the_end_of_the_loop_closes_it(
    transport: Callable[..., Any],
) -> None:
    app = made()

    async def requests() -> list[bytes]:
        return [await transport(app, path) for path in ("/async", "/sync", "/async", "/sync")]

    answers = asyncio.run(requests())
    assert answers[:2] == answers[2:] == [b'["real pool","REAL POOL"]', b'"cache of real pool"']
    assert [line for line in LOG if line != "request"] == [
        "settings",
        "open real pool",
        "open cache",
        "close cache",
        "close real pool",
    ]


@TRANSPORTS
@pytest.mark.parametrize("is_asynchronous", [True, False])
def test_requests_at_the_same_time_open_it_once(transport: Callable[..., Any], is_asynchronous: bool) -> None:
    async def slow() -> AsyncIterator[int]:
        LOG.append("open")
        await asyncio.sleep(0.01)
        yield len(LOG)

    def slow_in_thread() -> int:
        LOG.append("open")
        return len(LOG)

    app = FastAPI()
    app.get("/")(_taking(slow if is_asynchronous else slow_in_thread))

    async def requests() -> list[bytes]:
        return await asyncio.gather(*[transport(app, "/") for _ in range(20)])

    assert asyncio.run(requests()) == [b"1"] * 20
    assert LOG == ["open"]


def _taking(dependency: Callable[..., Any]) -> Callable[..., Any]:
    async def endpoint(value: Any = Depends(dependency, scope="app")) -> Any:
        return value

    return endpoint


def test_who_is_cancelled_while_opening_it_does_not_keep_it_from_others() -> None:
    async def slow() -> AsyncIterator[int]:
        LOG.append("open")
        try:
            await asyncio.sleep(0.01)
            yield 1
        finally:
            LOG.append("close")

    app = FastAPI()
    app.get("/")(_taking(slow))

    async def requests() -> bytes:
        first = asyncio.create_task(over_asgi(app, "/"))
        await asyncio.sleep(0)
        second = asyncio.create_task(over_asgi(app, "/"))
        await asyncio.sleep(0.002)
        first.cancel()
        return await second

    assert asyncio.run(requests()) == b"1"
    assert LOG.count("open") == LOG.count("close")


def test_what_can_not_be_opened_keeps_the_application_from_starting_and_closes_the_others() -> None:
    def broken(value: Pool) -> None:
        raise OSError("no database")

    app = made()
    app.get("/broken")(_taking(broken))
    with pytest.raises(OSError, match="no database"), TestClient(app):
        pass
    assert LOG[-2:] == ["close cache", "close real pool"]


@TRANSPORTS
def test_what_fails_at_its_first_use_is_tried_again(transport: Callable[..., Any]) -> None:
    def fails_once() -> int:
        LOG.append("open")
        if len(LOG) == 1:
            raise OSError
        return len(LOG)

    app = FastAPI()
    app.get("/")(_taking(fails_once))

    @app.exception_handler(OSError)
    async def handle(request: Request, error: OSError) -> Response:
        return Response("failed")

    async def requests() -> list[bytes]:
        return [await transport(app, "/") for _ in range(3)]

    assert asyncio.run(requests()) == [b"failed", b"2", b"2"]


def test_all_are_closed_though_one_fails_and_the_lifespan_sees_the_failure() -> None:
    def failing(value: Pool) -> Iterator[None]:
        yield
        raise OSError("can't close")

    app = made()
    app.get("/failing")(_taking(failing))
    with pytest.raises(OSError, match="can't close"), TestClient(app):
        pass
    assert LOG[-1] == "close real pool"


def test_a_task_group_may_be_held_open() -> None:
    async def group() -> AsyncIterator[Any]:
        async with anyio.create_task_group() as tasks:
            yield tasks
            LOG.append("end")
            tasks.cancel_scope.cancel()

    app = FastAPI()

    @app.get("/")
    async def begin(tasks: Annotated[Any, Depends(group, scope="app")]) -> None:
        tasks.start_soon(anyio.sleep_forever)

    asyncio.run(over_asgi(app, "/"))
    with TestClient(app) as client:
        assert client.get("/").status_code == 200
    assert LOG == ["end", "end"]


def test_trio_opens_and_closes_it_too() -> None:
    with TestClient(made(), backend="trio") as client:
        assert client.get("/async").json() == ["real pool", "REAL POOL"]
    assert LOG == ["settings", "open real pool", "open cache", "request", "close cache", "close real pool"]


def test_applications_may_start_again() -> None:
    app = made()
    for _ in range(2):
        LOG.clear()
        with TestClient(app) as client:
            client.get("/async")
        assert LOG.count("open real pool") == LOG.count("close real pool") == 1


@TRANSPORTS
def test_overrides_apply_to_it_and_to_what_it_needs(transport: Callable[..., Any]) -> None:
    app = made()

    async def requests() -> list[bytes]:
        answers = [await transport(app, "/sync")]
        app.dependency_overrides[settings] = lambda: "fake"
        answers.append(await transport(app, "/sync"))
        app.dependency_overrides[pool] = lambda: "no pool"
        answers.append(await transport(app, "/sync"))
        app.dependency_overrides.clear()
        return [*answers, await transport(app, "/sync")]

    assert asyncio.run(requests()) == [
        b'"cache of real pool"',
        b'"cache of fake pool"',
        b'"cache of no pool"',
        b'"cache of real pool"',
    ]
    assert LOG.count("open real pool") == 1


def test_what_is_overridden_when_the_application_starts_is_never_opened() -> None:
    app = made()
    app.dependency_overrides[pool] = lambda: "no pool"
    with TestClient(app) as client:
        assert client.get("/sync").json() == "cache of no pool"
        with client.websocket_connect("/in/socket") as socket:
            assert socket.receive_text() == "cache of no pool"
    assert "open real pool" not in LOG


def test_an_override_that_needs_a_request_is_an_error() -> None:
    app = made()
    app.dependency_overrides[pool] = lambda request: request
    with pytest.raises(DependencyScopeError, match="'request'"):
        TestClient(app).get("/async")


def test_overrides_that_need_each_other_are_an_error() -> None:
    app = made()

    def again(value: Pool) -> str:
        return value

    app.dependency_overrides[pool] = again
    with pytest.raises(CircularDependencyError, match="again"):
        TestClient(app).get("/async")


async def of_requests(request: Request) -> None: ...


async def of_sockets(socket: WebSocket) -> None: ...


async def of_responses(response: Response) -> None: ...


async def of_tasks(tasks: BackgroundTasks) -> None: ...


async def of_scopes(scopes: SecurityScopes) -> None: ...


async def of_queries(page: int = 1) -> None: ...


async def of_headers(agent: Annotated[str, Header()]) -> None: ...


async def of_bodies(body: dict[str, int]) -> None: ...


async def of_paths(item_id: int) -> None: ...


async def plain() -> None: ...


async def generator() -> AsyncIterator[None]:
    yield


async def of_plain(value: Annotated[None, Depends(plain)]) -> None: ...


async def of_generators(value: Annotated[None, Depends(generator)]) -> None: ...


async def of_functions(value: Annotated[None, Depends(generator, scope="function")]) -> None: ...


async def of_requests_by_name(value: Annotated[None, Depends(generator, scope="request")]) -> None: ...


async def of_security(value: Annotated[None, Security(plain, scopes=["a"])]) -> None: ...


async def deeper(value: Annotated[None, Depends(of_queries, scope="app")]) -> None: ...


@pytest.mark.parametrize(
    "dependency",
    [
        of_requests,
        of_sockets,
        of_responses,
        of_tasks,
        of_scopes,
        of_queries,
        of_headers,
        of_bodies,
        of_paths,
        of_plain,
        of_generators,
        of_functions,
        of_requests_by_name,
        of_security,
        deeper,
    ],
)
@pytest.mark.parametrize("where", ["parameter", "route", "router", "include", "socket", "front end"])
def test_what_belongs_to_a_request_can_not_be_pulled_into_it(dependency: Any, where: str, tmp_path: Any) -> None:
    with pytest.raises(DependencyScopeError, match='scope "app"'):
        _declare(dependency, where, tmp_path)


def _declare(dependency: Any, where: str, directory: Any) -> None:
    depends = Depends(dependency, scope="app")
    app = FastAPI()
    if where == "parameter":
        app.get("/{item_id}")(_taking(dependency))
    elif where == "route":
        app.get("/{item_id}", dependencies=[depends])(plain)
    elif where == "socket":
        app.websocket("/{item_id}", dependencies=[depends])(plain)
    elif where == "front end":
        APIRouter(dependencies=[depends]).frontend("/", directory=directory)
    elif where == "router":
        APIRouter(dependencies=[depends]).get("/{item_id}")(plain)
    else:
        router = APIRouter()
        router.get("/{item_id}")(plain)
        app.include_router(router, dependencies=[depends])
        TestClient(app).get("/openapi.json")  # where FastAPI declares included routes, too


@pytest.mark.parametrize("options", [{"use_cache": False}, {"max_concurrency": 3}])
def test_options_that_say_that_there_is_more_than_one_call_are_refused(options: Any) -> None:
    with pytest.raises(DependencyScopeError):
        Depends(plain, scope="app", **options)


def test_the_same_callable_may_be_a_dependency_of_requests_as_well() -> None:
    app = FastAPI()

    def count() -> int:
        LOG.append("count")
        return len(LOG)

    @app.get("/")
    async def both(of_app: int = Depends(count, scope="app"), of_request: int = Depends(count)) -> list[int]:
        return [of_app, of_request]

    with TestClient(app) as client:
        assert [client.get("/").json() for _ in range(2)] == [[1, 2], [1, 3]]


def test_a_router_without_an_application_says_that_it_needs_one() -> None:
    router = APIRouter()
    router.get("/")(_taking(plain))
    with pytest.raises(DependencyScopeError, match="needs an application"):
        TestClient(router).get("/")


def test_mounted_applications_have_their_own_which_live_as_long() -> None:
    inner, outer = made(), made()
    outer.mount("/mounted", GZipMiddleware(inner))
    with TestClient(outer) as client:
        assert LOG.count("open real pool") == 2
        assert client.get("/mounted/sync").json() == "cache of real pool"
        assert LOG.count("open real pool") == 2
    assert LOG.count("close real pool") == 2


def test_two_applications_that_include_one_router_have_two() -> None:
    router = APIRouter()
    router.get("/")(_taking(pool))
    apps = [FastAPI(), FastAPI()]
    for app in apps:
        app.include_router(router)

    async def requests() -> list[bytes]:
        return [await over_asgi(app, "/") for app in (*apps, *apps)]

    asyncio.run(requests())
    assert LOG.count("open real pool") == 2


def test_front_ends_may_need_it(tmp_path: Any) -> None:
    (tmp_path / "index.html").write_text("page")
    app = FastAPI(dependencies=[Depends(pool, scope="app")])
    app.frontend("/", directory=tmp_path)
    with TestClient(app) as client:
        assert client.get("/").text == "page"
    assert LOG == ["settings", "open real pool", "close real pool"]


def test_code_outside_of_requests_gets_the_same_value() -> None:
    app = made()

    async def both() -> tuple[Any, bytes]:
        return await app.app_dependency(cache), await over_asgi(app, "/sync")

    assert asyncio.run(both()) == ("cache of real pool", b'"cache of real pool"')
    assert LOG.count("open real pool") == 1


def test_copies_of_an_application_have_their_own() -> None:
    app = made()

    async def requests() -> None:
        await over_asgi(app, "/async")
        assert "_app_scope" in app.__dict__
        assert "_app_scope" not in copy.copy(app).__dict__

    asyncio.run(requests())


def test_routes_with_it_are_run_natively() -> None:
    app = made()
    app.router.table()
    targets = []
    original = Target.find_program

    def noting(self: Target) -> Any:
        targets.append((self.placed.path, original(self) is not None))
        return original(self)

    Target.find_program = noting  # type: ignore[method-assign]
    try:
        for path in ("/async", "/sync", "/in/plain"):
            asyncio.run(over_asgi(app, path))
    finally:
        Target.find_program = original  # type: ignore[method-assign]
    assert dict(targets) == {"/async": True, "/sync": True, "/in/plain": True}


def test_the_document_says_nothing_of_it() -> None:
    app = made()
    assert "parameters" not in app.openapi()["paths"]["/async"]["get"]
