"""Start-up and shutdown: which handlers and lifespans run, how often, in which order, and what state comes of them."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient
from support.frameworks import BOTH, Framework

Build = Callable[[Framework, list[str]], Any]


def lived(build: Build) -> list[Any]:
    """What each framework's application does from start-up to shutdown."""
    ends: list[Any] = []
    for fw in BOTH:
        log: list[str] = []
        app = build(fw, log)
        try:
            with TestClient(app) as client:
                log.append("serving")
                state = dict(client.app_state)
        except Exception as exc:
            ends.append((log, type(exc).__name__, str(exc)))
        else:
            ends.append((log, state))
    return ends


def same(build: Build) -> Any:
    """Assert that both applications live alike; give FastAPI's life."""
    theirs, ours = lived(build)
    assert ours == theirs
    return theirs


def noting(log: list[str], text: str) -> Callable[[], None]:
    return lambda: log.append(text)


def context(log: list[str], name: str, state: dict[str, Any] | None = None) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        log.append(f"{name} begins")
        yield state
        log.append(f"{name} ends")

    return lifespan


SETTINGS = list(itertools.product(["none", "plain", "state"], ["none", "plain", "state"], ["none", "state"]))


def options(log: list[str], name: str, kind: str) -> dict[str, Any]:
    """The options of a router with a lifespan of a kind."""
    if kind == "none":
        return {}
    return {"lifespan": context(log, name, {"which": name, name: 1} if kind == "state" else None)}


@pytest.mark.filterwarnings("ignore:\\s*on_event is deprecated:DeprecationWarning")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("how", ["list", "method", "decorator"])
@pytest.mark.parametrize("settings", SETTINGS, ids="-".join)
def test_handlers_of_included_routers(settings: tuple[str, str, str], how: str, when: str) -> None:
    of_app, of_router, of_inner = settings

    def register(log: list[str], router: Any, name: str) -> None:
        for event, handlers in (("startup", router.on_startup), ("shutdown", router.on_shutdown)):
            handler = noting(log, f"{name} {event}")
            if how == "list":
                handlers.append(handler)
            elif how == "method":
                router.add_event_handler(event, handler)
            else:
                router.on_event(event)(handler)

    def build(fw: Framework, log: list[str]) -> Any:
        app = fw.FastAPI(
            on_startup=[noting(log, "app startup")],
            on_shutdown=[noting(log, "app shutdown")],
            **options(log, "app", of_app),
        )
        router = fw.APIRouter(**options(log, "router", of_router))
        inner = fw.APIRouter(**options(log, "inner", of_inner))
        steps = [
            lambda: (register(log, router, "router"), register(log, inner, "inner")),  # type: ignore[func-returns-value]
            lambda: (router.include_router(inner), app.include_router(router)),
        ]
        for step in steps if when == "before" else reversed(steps):
            step()
        app.router.add_event_handler("startup", noting(log, "app startup again"))
        return app

    same(build)


def included_twice(fw: Framework, log: list[str]) -> Any:
    app = fw.FastAPI()
    router = fw.APIRouter(on_startup=[noting(log, "starts")], on_shutdown=[noting(log, "stops")])
    app.include_router(router, prefix="/one")
    app.include_router(router, prefix="/two")
    return app


def included_twice_with_lifespan(fw: Framework, log: list[str]) -> Any:
    app = fw.FastAPI()
    router = fw.APIRouter(lifespan=context(log, "router", {"a": 1}))
    app.include_router(router, prefix="/one")
    app.include_router(router, prefix="/two")
    return app


def nested_after_inclusion(fw: Framework, log: list[str]) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter(on_startup=[noting(log, "router")])
    inner = fw.APIRouter(on_startup=[noting(log, "inner")], lifespan=context(log, "inner"))
    app.include_router(router)
    router.include_router(inner)
    return app


def lifespan_replaced_after_inclusion(fw: Framework, log: list[str]) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter()
    app.include_router(router)
    router.lifespan_context = context(log, "late", {"a": 1})
    return app


def lifespan_of_the_application_replaced(fw: Framework, log: list[str]) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter(on_startup=[noting(log, "router")])
    app.include_router(router)
    app.router.lifespan_context = context(log, "late", {"a": 1})
    return app


def lifespan_wrapped_before_inclusion(fw: Framework, log: list[str]) -> Any:
    app, router = fw.FastAPI(lifespan=context(log, "app")), fw.APIRouter(lifespan=context(log, "router"))
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def around(application: Any) -> AsyncIterator[Any]:
        log.append("around begins")
        async with inner(application) as state:
            yield state
        log.append("around ends")

    app.router.lifespan_context = around
    app.include_router(router)
    return app


def lists_replaced(fw: Framework, log: list[str]) -> Any:
    app, router = fw.FastAPI(), fw.APIRouter(on_startup=[noting(log, "router")])
    app.include_router(router)
    app.router.on_startup = [noting(log, "app's new")]
    router.on_startup = [noting(log, "router's new")]
    return app


def start_up_fails(fw: Framework, log: list[str]) -> Any:
    def fails() -> None:
        raise LookupError("at start-up")

    app = fw.FastAPI(lifespan=context(log, "app"))
    handlers = [noting(log, "one"), fails, noting(log, "two")]
    app.include_router(fw.APIRouter(on_startup=handlers, on_shutdown=[noting(log, "stops")]))
    return app


def shutdown_fails(fw: Framework, log: list[str]) -> Any:
    def fails() -> None:
        raise LookupError("at shutdown")

    app = fw.FastAPI(on_shutdown=[noting(log, "app")])
    app.include_router(fw.APIRouter(on_shutdown=[noting(log, "one"), fails, noting(log, "two")]))
    return app


def router_of_an_application(fw: Framework, log: list[str]) -> Any:
    other = fw.FastAPI(on_startup=[noting(log, "other")])
    with_lifespan = fw.FastAPI(lifespan=context(log, "with lifespan", {"b": 2}))
    app = fw.FastAPI(lifespan=context(log, "app"))
    app.include_router(other.router, prefix="/other")
    app.include_router(with_lifespan.router, prefix="/more")
    return app


def overridden_start_up(fw: Framework, log: list[str]) -> Any:
    class Router(fw.APIRouter):  # a class of either package
        async def _startup(self) -> None:
            log.append("own start-up")
            await super()._startup()

    app = fw.FastAPI()
    app.include_router(Router(on_startup=[noting(log, "router")]))
    return app


CASES: list[Build] = [
    included_twice,
    included_twice_with_lifespan,
    nested_after_inclusion,
    lifespan_replaced_after_inclusion,
    lifespan_of_the_application_replaced,
    lifespan_wrapped_before_inclusion,
    lists_replaced,
    start_up_fails,
    shutdown_fails,
    router_of_an_application,
    overridden_start_up,
]


@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_arrangements(build: Build) -> None:
    same(build)


def test_every_kind_of_lifespan_of_an_included_router() -> None:
    class Manager:
        def __init__(self, log: list[str]) -> None:
            self.log = log

        async def __aenter__(self) -> dict[str, int]:
            self.log.append("begins")
            return {"kind": 5}

        async def __aexit__(self, *error: Any) -> None:
            self.log.append("ends")

    def kinds(log: list[str]) -> list[Callable[[Any], Any]]:
        def generator(app: Any) -> Any:
            log.append("begins")
            yield {"kind": 1}
            log.append("ends")

        async def agenerator(app: Any) -> Any:
            log.append("begins")
            yield {"kind": 2}
            log.append("ends")

        def manager(app: Any) -> AbstractAsyncContextManager[Any]:
            return Manager(log)

        return [generator, agenerator, context(log, "it", {"kind": 3}), contextmanager(generator), manager]

    for number in range(len(kinds([]))):

        def build(fw: Framework, log: list[str], number: int = number) -> Any:
            app = fw.FastAPI()
            app.include_router(fw.APIRouter(lifespan=kinds(log)[number]))
            return app

        same(build)
