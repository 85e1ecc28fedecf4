"""Whoever overrides a method that registers routes is called when FastAPI calls it, with what FastAPI gives it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.websockets import WebSocket
from support.frameworks import BOTH, Framework
from support.naming import steady_name

VERBS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
METHODS = [
    *VERBS,
    "api_route",
    "add_api_route",
    "websocket",
    "add_api_websocket_route",
    "websocket_route",
    "add_websocket_route",
    "include_router",
    "route",
    "add_route",
    "mount",
    "host",
    "on_event",
    "add_event_handler",
    "middleware",
    "add_middleware",
    "exception_handler",
    "add_exception_handler",
    "frontend",
    "setup",
]
Log = list[tuple[str, list[Any], dict[str, Any]]]


def shown(value: Any) -> Any:
    """A value as text that both packages have in common."""
    if type(value).__name__ == "DefaultPlaceholder":
        return f"unset: {shown(value.value)}"
    if isinstance(value, type) and issubclass(value, BaseHTTPMiddleware):
        return "BaseHTTPMiddleware"
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return value if isinstance(value, (str, int, dict, type(None))) else type(value).__name__


def recording(log: Log, name: str, base: type[Any]) -> type[Any]:
    """A subclass that overrides every method that registers something."""

    def override(method: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            log.append((f"{name}.{method}", shown(args), {key: shown(value) for key, value in kwargs.items()}))
            return getattr(super(cls, self), method)(*args, **kwargs)

        return call

    cls: Any = type(base.__name__, (base,), {method: override(method) for method in METHODS if hasattr(base, method)})
    return cls


def recording_route(log: Log, fw: Framework) -> Any:
    class Route(fw.routing.APIRoute):  # a class of either package
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            log.append(("route", shown(args), {key: shown(value) for key, value in kwargs.items()}))
            super().__init__(*args, **kwargs)

    return Route


def endpoint() -> None: ...


async def socket(websocket: WebSocket) -> None: ...


async def mounted(scope: Any, receive: Any, send: Any) -> None: ...


def sub_router(fw: Framework, router: type[Any]) -> Any:
    sub = router(prefix="/sub", on_startup=[endpoint], on_shutdown=[endpoint], tags=["sub"])
    sub.add_api_route("/a", endpoint)
    sub.add_api_websocket_route("/w", socket)
    sub.add_route("/r", endpoint)
    sub.mount("/m", mounted)
    return sub


FILES = str(Path(__file__).parent)
OPTIONS: dict[str, Any] = {
    "tags": ["t"],
    "name": "n",
    "status_code": 201,
    "deprecated": True,
    "responses": {404: {"description": "d"}},
    "include_in_schema": False,
    "response_model_exclude_none": True,
    "max_body_size": 5,
    "form_limits": {"max_files": 1},
    "openapi_extra": {"x-a": 1},
}
Case = Callable[[Any, Framework, type[Any]], Any]
CASES: dict[str, Case] = {
    **{verb: lambda it, fw, router, verb=verb: getattr(it, verb)("/a")(endpoint) for verb in VERBS},  # type: ignore[misc]
    **{
        f"{verb} with options": lambda it, fw, router, verb=verb: getattr(it, verb)("/a", **OPTIONS)(endpoint)  # type: ignore[misc]  # mypy knows no defaults here
        for verb in VERBS
    },
    "get with callbacks": lambda it, fw, router: it.get("/a", callbacks=[])(endpoint),
    "get by keyword": lambda it, fw, router: it.get(path="/a", response_model=int)(endpoint),
    "get with class": lambda it, fw, router: it.get("/a", response_class=fw.responses.PlainTextResponse)(endpoint),
    "api_route": lambda it, fw, router: it.api_route("/a")(endpoint),
    "api_route with options": lambda it, fw, router: it.api_route("/a", methods=["PUT", "post"], **OPTIONS)(endpoint),
    "add_api_route": lambda it, fw, router: it.add_api_route("/a", endpoint),
    "add_api_route with options": lambda it, fw, router: it.add_api_route("/a", endpoint, methods={"PUT"}, **OPTIONS),
    "add_api_route by keyword": lambda it, fw, router: it.add_api_route(path="/a", endpoint=endpoint),
    "add_api_route with callbacks": lambda it, fw, router: it.add_api_route("/a", endpoint, callbacks=[]),
    "websocket": lambda it, fw, router: it.websocket("/a")(socket),
    "websocket with options": lambda it, fw, router: it.websocket("/a", "n", dependencies=[])(socket),
    "add_api_websocket_route": lambda it, fw, router: it.add_api_websocket_route("/a", socket),
    "add_api_websocket_route with options": lambda it, fw, router: it.add_api_websocket_route(
        "/a", socket, "n", dependencies=[]
    ),
    "websocket_route": lambda it, fw, router: it.websocket_route("/a", name="n")(socket),
    "add_websocket_route": lambda it, fw, router: it.add_websocket_route("/a", socket),
    "add_route": lambda it, fw, router: it.add_route("/a", endpoint, methods=["PUT"]),
    "mount": lambda it, fw, router: it.mount("/a", mounted, name="n"),
    "host": lambda it, fw, router: it.host("h", mounted, name="n"),
    "add_event_handler": lambda it, fw, router: it.add_event_handler("startup", endpoint),
    "frontend": lambda it, fw, router: it.frontend("/a", directory=FILES),
    "frontend with options": lambda it, fw, router: it.frontend("/a", directory="no", fallback=None, check_dir=False),
    "include_router": lambda it, fw, router: it.include_router(sub_router(fw, router)),
    "include_router with options": lambda it, fw, router: it.include_router(
        sub_router(fw, router), prefix="/p", tags=["i"], deprecated=True, max_body_size=9
    ),
    "unknown option": lambda it, fw, router: it.get("/a", nonsense=1),
}
OF_ROUTERS: dict[str, Case] = {
    "route": lambda it, fw, router: it.route("/a", methods=["PUT"])(endpoint),
    "strict_content_type": lambda it, fw, router: it.add_api_route("/a", endpoint, strict_content_type=False),
    "route_class_override": lambda it, fw, router: it.add_api_route(
        "/a", endpoint, route_class_override=it.route_class
    ),
}
OF_APPLICATIONS: dict[str, Case] = {
    "middleware": lambda it, fw, router: it.middleware("http")(endpoint),
    "middleware of another name": lambda it, fw, router: it.middleware("other")(endpoint),
    "add_middleware": lambda it, fw, router: it.add_middleware(mounted, a=1),
    "exception_handler": lambda it, fw, router: it.exception_handler(404)(endpoint),
    "add_exception_handler": lambda it, fw, router: it.add_exception_handler(KeyError, endpoint),
}


def recorded(fw: Framework, case: Case, of_application: bool, **options: Any) -> Log:
    """What is called for a case."""
    log: Log = []
    router = recording(log, "router", fw.APIRouter)
    route_class = recording_route(log, fw)
    it: Any
    if of_application:
        it = recording(log, "app", fw.FastAPI)()
        it.router = router(route_class=route_class, dependency_overrides_provider=it)
    else:
        it = router(route_class=route_class, **options)
    log.append(("then", [], {}))
    try:
        case(it, fw, router)
    except Exception as exc:
        log.append((type(exc).__name__, [], {}))
    return log


@pytest.mark.parametrize("name", [*CASES, *OF_APPLICATIONS])
def test_methods_of_applications(name: str) -> None:
    theirs, ours = (recorded(fw, {**CASES, **OF_APPLICATIONS}[name], True) for fw in BOTH)
    assert ours == theirs


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prefix": "/r", "tags": ["r"], "deprecated": True, "max_body_size": 7, "responses": {400: {}}},
        {"strict_content_type": False, "include_in_schema": False, "form_limits": {"max_fields": 2}},
    ],
    ids=["plain", "prefix", "limits"],
)
@pytest.mark.parametrize("name", [*CASES, *OF_ROUTERS])
def test_methods_of_routers(name: str, options: dict[str, Any]) -> None:
    theirs, ours = (recorded(fw, {**CASES, **OF_ROUTERS}[name], False, **options) for fw in BOTH)
    assert ours == theirs


@pytest.mark.filterwarnings("ignore:\\s*on_event is deprecated:DeprecationWarning")
@pytest.mark.parametrize("of_application", [True, False])
def test_on_event(of_application: bool) -> None:
    theirs, ours = (
        recorded(fw, lambda it, fw, router: it.on_event("startup")(endpoint), of_application) for fw in BOTH
    )
    assert ours == theirs


@pytest.mark.parametrize("options", [{}, {"docs_url": None}, {"redoc_url": "/r"}, {"openapi_url": None}], ids=str)
def test_what_an_application_registers_itself(options: dict[str, Any]) -> None:
    logs = []
    for fw in BOTH:
        log: Log = []
        recording(log, "app", fw.FastAPI)(**options, on_startup=[endpoint], exception_handlers={404: endpoint})
        logs.append(log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize("framework", BOTH, ids=steady_name)
def test_a_router_that_adds_an_option_to_each_route_works(framework: Framework) -> None:
    """As Prefect's and others do."""
    seen: list[Any] = []

    class Router(framework.APIRouter):  # a class of either package
        def add_api_route(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
            if not kwargs.get("response_class") or kwargs["response_model"] is None:
                raise AssertionError(kwargs)
            kwargs["response_model_exclude_unset"] = True
            kwargs["operation_id"] = f"made-{endpoint.__name__}"
            super().add_api_route(path, endpoint, **kwargs)

        def add_api_websocket_route(self, path: str, endpoint: Callable[..., Any], name: str | None = None) -> None:
            seen.append((path, name))

    router = Router()
    router.post("/a")(endpoint)
    assert (router.routes[0].operation_id, router.routes[0].response_model_exclude_unset) == ("made-endpoint", True)
    with pytest.raises(TypeError):
        router.websocket("/w")(socket)  # which passes `dependencies`
