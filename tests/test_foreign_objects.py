"""Objects of the real FastAPI in an application of ferrapi mean what they mean in FastAPI, or are refused by name.

Each case builds an application twice: with FastAPI throughout, and with ferrapi but for one thing, which is still
FastAPI's. The forbidden outcome is a third one: an answer that differs.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import ferrapi
import pytest
from fastapi.routing import APIRoute as FastAPIRoute
from ferrapi.exceptions import ForeignObjectError
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Host, Mount, Router
from support.asgi import Ask
from support.compare import answers
from support.foreign import ASKS, FORM, annotated, both, check, guard, outcome, with_default
from support.frameworks import FASTAPI, FERRAPI, Framework

# Types, schemes and exceptions


@pytest.mark.parametrize(
    "kind",
    ["UploadFile", "BackgroundTasks", "Request", "Response", "WebSocket", "security.SecurityScopes", "list"],
)
def test_types_of_fastapi_get_what_they_ask_for(kind: str) -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        annotation = list[foreign.UploadFile] if kind == "list" else foreign  # a value
        for name in () if kind == "list" else kind.split("."):
            annotation = getattr(annotation, name)
        app = fw.FastAPI()

        def dependency(it: Any) -> list[str]:
            return [
                name for name in ("add_task", "read", "scopes", "scope", "headers", "send_json") if hasattr(it, name)
            ]

        dependency.__annotations__["it"] = annotation
        app.post("/")(lambda found=fw.Depends(dependency): found)
        app.get("/", response_model=None)(dependency)
        return app

    part = b'--b\r\nContent-Disposition: form-data; name="it"; filename="f"\r\n\r\ntext\r\n--b--\r\n'
    upload = Ask("POST", headers=[(b"content-type", b"multipart/form-data; boundary=b")], body=[part])
    check(make, refused=kind == "security.SecurityScopes", asks=[upload, *ASKS])


SCHEMES: dict[str, Callable[[Framework], Any]] = {
    "APIKeyCookie": lambda fw: fw.security.APIKeyCookie(name="key"),
    "APIKeyHeader": lambda fw: fw.security.APIKeyHeader(name="key", description="of a header"),
    "APIKeyQuery": lambda fw: fw.security.APIKeyQuery(name="key", auto_error=False),
    "HTTPBasic": lambda fw: fw.security.HTTPBasic(realm="here"),
    "HTTPBearer": lambda fw: fw.security.HTTPBearer(),
    "HTTPDigest": lambda fw: fw.security.HTTPDigest(scheme_name="Own"),
    "OAuth2": lambda fw: fw.security.OAuth2(flows={"password": {"tokenUrl": "t", "scopes": {"a": "A"}}}),
    "OAuth2PasswordBearer": lambda fw: fw.security.OAuth2PasswordBearer(tokenUrl="t", scopes={"a": "A"}),
    "OAuth2AuthorizationCodeBearer": lambda fw: fw.security.OAuth2AuthorizationCodeBearer("a", "t"),
    "OpenIdConnect": lambda fw: fw.security.OpenIdConnect(openIdConnectUrl="u"),
    "OAuth2PasswordRequestForm": lambda fw: fw.security.OAuth2PasswordRequestForm,
    "OAuth2PasswordRequestFormStrict": lambda fw: fw.security.OAuth2PasswordRequestFormStrict,
}


@pytest.mark.parametrize("how", ["Depends", "Security", "partial", "foreign Depends", "route"])
@pytest.mark.parametrize("name", SCHEMES)
def test_security_schemes(name: str, how: str) -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        scheme = SCHEMES[name](foreign)
        if how == "Security":
            marker = fw.Security(scheme, scopes=["a"])
        elif how == "foreign Depends":
            marker = foreign.Depends(scheme)
        else:
            marker = fw.Depends(functools.partial(scheme) if how == "partial" else scheme)
        app = fw.FastAPI()
        if how == "route":
            both(app, dependencies=[marker])(lambda: "in")
        else:
            both(app)(lambda found=marker: repr(getattr(found, "__dict__", found)))
        return app

    login = Ask("POST", headers=[FORM], body=[b"grant_type=password&username=u&password=p&scope=a+b"])
    check(make, refused=False, asks=[*ASKS, login])


EXCEPTIONS: dict[str, Callable[[Framework], Exception]] = {
    "HTTPException": lambda fw: fw.HTTPException(418, {"a": 1}, {"x-a": "b"}),
    "RequestValidationError": lambda fw: fw.exceptions.RequestValidationError(
        [{"type": "odd", "loc": ("body",), "msg": "Odd", "input": 1}], body="b"
    ),
    "ResponseValidationError": lambda fw: fw.exceptions.ResponseValidationError([{"type": "odd"}]),
    "FastAPIError": lambda fw: fw.exceptions.FastAPIError("odd"),
}


@pytest.mark.parametrize("key", ["none", "own", "foreign", "both", "starlette", "status", "Exception"])
@pytest.mark.parametrize("name", EXCEPTIONS)
@pytest.mark.parametrize("raised", ["own", "foreign"])
def test_exceptions_find_the_handler_of_either_name(raised: str, name: str, key: str) -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        app = fw.FastAPI()

        def handler(request: Request, exc: Exception) -> Any:
            shown = getattr(exc, "detail", None) or getattr(exc, "errors", lambda: "none")()
            return fw.responses.JSONResponse({"handled": repr(shown)}, 400)

        of = {"own": (fw,), "foreign": (foreign,), "both": (fw, foreign)}.get(key, ())
        for package in of:
            app.add_exception_handler(getattr(package.exceptions, name), handler)
        if key == "starlette":
            app.add_exception_handler(import_module("starlette.exceptions").HTTPException, handler)
        elif key == "status":
            app.add_exception_handler(418, handler)
        elif key == "Exception":
            app.add_exception_handler(Exception, handler)

        def opened() -> Iterator[None]:
            yield

        @app.get("/", dependencies=[fw.Depends(opened)])
        def endpoint(x: int = 0) -> None:
            raise EXCEPTIONS[name](foreign if raised == "foreign" else fw)

        return app

    check(make, refused=False, asks=ASKS[:3])


def test_a_handler_for_fastapis_validation_error_gets_ferrapis() -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        app = fw.FastAPI()

        @app.exception_handler(foreign.exceptions.RequestValidationError)
        async def handler(request: Request, exc: Any) -> Any:
            return fw.responses.JSONResponse({"count": len(exc.errors())}, 409)

        app.get("/")(with_default(fw.Query()))
        return app

    found = check(make, refused=False)
    assert [answer.status for answer in found[1][:3]] == [409, 200, 409]


def test_server_sent_events() -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        app = fw.FastAPI()

        async def events() -> Any:
            yield foreign.sse.ServerSentEvent(data={"a": 1}, event="e", id="1", retry=5, comment="c")
            yield foreign.sse.ServerSentEvent(raw_data="raw")
            yield {"plain": 1}

        app.get("/", response_class=foreign.sse.EventSourceResponse)(events)
        return app

    check(make, refused=False, asks=[Ask()])


def test_a_default_that_nobody_chose_stays_one() -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        default = foreign.datastructures.Default
        app = fw.FastAPI(default_response_class=fw.responses.PlainTextResponse)
        router = fw.APIRouter(default_response_class=default(fw.responses.JSONResponse))

        def endpoint() -> str:
            return "text"

        router.add_api_route(
            "/",
            endpoint,
            response_model=default(None),
            response_class=default(fw.responses.JSONResponse),
            generate_unique_id_function=default(foreign.utils.generate_unique_id),
        )
        app.include_router(router, default_response_class=default(fw.responses.JSONResponse))
        return app

    check(make, refused=False, asks=[Ask()])


# What is refused


def router_of(foreign: Framework) -> Any:
    router = foreign.APIRouter()
    router.get("/r")(lambda: "in")
    return router


def _route_class(fw: Framework, foreign: Framework) -> Any:
    return fw.APIRouter(route_class=foreign.routing.APIRoute)


def _route_subclass(fw: Framework, foreign: Framework) -> Any:
    class Sub(foreign.routing.APIRoute):  # a class by way of a value
        """A library's."""

    return fw.APIRouter(route_class=Sub)


def _route_class_of_one(fw: Framework, foreign: Framework) -> Any:
    fw.APIRouter().add_api_route("/", lambda: 1, route_class_override=foreign.routing.APIRoute)


def _app_router(fw: Framework, foreign: Framework) -> Any:
    app = fw.FastAPI()
    app.router = router_of(foreign)


REFUSED: dict[str, Callable[[Framework, Framework], Any]] = {
    "include_router": lambda fw, foreign: fw.FastAPI().include_router(router_of(foreign)),
    "include_router of a router": lambda fw, foreign: fw.APIRouter().include_router(router_of(foreign)),
    "include_router of an application": lambda fw, foreign: fw.FastAPI().include_router(foreign.FastAPI()),
    "routes of an application": lambda fw, foreign: fw.FastAPI(routes=router_of(foreign).routes),
    "routes of a router": lambda fw, foreign: fw.APIRouter(routes=router_of(foreign).routes),
    "routes assigned": lambda fw, foreign: setattr(fw.APIRouter(), "routes", router_of(foreign).routes),
    "mounted router": lambda fw, foreign: fw.FastAPI().mount("/m", router_of(foreign)),
    "router of a host": lambda fw, foreign: fw.FastAPI().host("h", router_of(foreign)),
    "mount of routes": lambda fw, foreign: fw.FastAPI(routes=[Mount("/m", routes=router_of(foreign).routes)]),
    "host of routes": lambda fw, foreign: fw.FastAPI(routes=[Host("h", Router(router_of(foreign).routes))]),
    "webhooks": lambda fw, foreign: fw.FastAPI(webhooks=router_of(foreign)),
    "callbacks": lambda fw, foreign: fw.FastAPI(callbacks=router_of(foreign).routes),
    "callbacks of a route": lambda fw, foreign: fw.FastAPI().get("/", callbacks=router_of(foreign).routes)(lambda: 1),
    "callbacks of an include": lambda fw, foreign: fw.FastAPI().include_router(
        fw.APIRouter(), callbacks=router_of(foreign).routes
    ),
    "route_class": _route_class,
    "subclass as route_class": _route_subclass,
    "route_class_override": _route_class_of_one,
    "app.router": _app_router,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_works_as_a_whole_is_refused(name: str) -> None:
    with pytest.raises(ForeignObjectError, match=r"of the module fastapi.*import ferrapi.as_fastapi"):
        REFUSED[name](FERRAPI, FASTAPI)


def test_routes_that_were_smuggled_into_the_list_are_an_error_of_each_request() -> None:
    app, router = ferrapi.FastAPI(), ferrapi.APIRouter()
    app.include_router(router)
    router.routes.append(FastAPIRoute("/r", lambda: "in"))
    (answer,) = answers(FERRAPI, lambda fw, log: app, [Ask(path="/r")])
    assert answer.status == 500
    assert isinstance(answer.exception, ForeignObjectError)


@pytest.mark.parametrize("build", [FASTAPI.FastAPI, Starlette], ids=["fastapi", "starlette"])
def test_a_mounted_application_is_an_application(build: Callable[..., Any]) -> None:
    def make(fw: Framework, foreign: Framework) -> Any:
        app, sub = fw.FastAPI(), build()
        with suppress(AttributeError):
            sub.get("/r")(with_default(FASTAPI.Depends(guard)))
        app.mount("/m", sub)
        app.router.routes.append(Mount("/n", app=sub))
        return app

    check(make, refused=False, asks=[Ask(path="/m/r"), Ask(path="/n/r", query=b"x=1"), Ask(path="/m/no")])


# Every public object in every place


MODULES = [
    "",
    "applications",
    "background",
    "concurrency",
    "datastructures",
    "encoders",
    "exception_handlers",
    "exceptions",
    "middleware",
    "middleware.cors",
    "openapi.docs",
    "openapi.models",
    "openapi.utils",
    "param_functions",
    "params",
    "requests",
    "responses",
    "routing",
    "security",
    "sse",
    "staticfiles",
    "templating",
    "types",
    "utils",
    "websockets",
]


def public_objects(package: str) -> dict[str, Callable[[], Any]]:
    """Every public class and function of a package's, and an object of each class that needs little."""
    found: dict[str, Callable[[], Any]] = {}
    seen: set[int] = set()
    for name in MODULES:
        module = import_module(f"{package}.{name}" if name else package)
        for member, value in sorted(vars(module).items()):
            home = getattr(value, "__module__", None) or ""
            if member.startswith("_") or not home.startswith(package) or id(value) in seen or not callable(value):
                continue
            seen.add(id(value))
            full = f"{name}.{member}".lstrip(".")
            found[full] = lambda value=value: value  # type: ignore[misc]  # mypy knows no defaults here
            arguments: tuple[Any, ...]
            for arguments in ((), ([],), (400,), ("n",)) if made_to_be_called(value) else ():
                with suppress(Exception):
                    value(*arguments)
                    found[f"{full}()"] = lambda value=value, arguments=arguments: value(*arguments)  # type: ignore[misc]
                    break
    return found


def made_to_be_called(value: Any) -> bool:
    """Whether it is a class whose objects mean something here, or makes such objects."""
    if inspect.isclass(value):
        return not issubclass(value, (dict, BaseModel))
    return bool(value.__module__.endswith(".param_functions"))


OBJECTS = {package: public_objects(package) for package in ("fastapi", "ferrapi")}


def _typed(fw: Framework, it: Any) -> Any:
    def endpoint(x: Any = None) -> Any:
        return "done"

    endpoint.__annotations__["x"] = it
    fw.FastAPI().get("/")(endpoint)
    app = fw.FastAPI()
    app.get("/")(endpoint)
    return app


def _raising(fw: Framework, it: Any) -> Any:
    def endpoint() -> None:
        raise it

    app = fw.FastAPI()
    app.get("/")(endpoint)
    return app


def _with(build: Callable[[Framework, Any, Any], Any]) -> Callable[[Framework, Any], Any]:
    """An application to which `build` does something."""

    def make(fw: Framework, it: Any) -> Any:
        app = fw.FastAPI()
        build(fw, app, it)
        return app

    return make


def _overridden(fw: Framework, app: Any, it: Any) -> None:
    def replaced() -> None: ...

    app.get("/")(lambda value=fw.Depends(replaced): "done")
    app.dependency_overrides[replaced] = it


EVERYWHERE: dict[str, Callable[[Framework, Any], Any]] = {
    "default": _with(lambda fw, app, it: app.get("/")(lambda x=it: "done")),
    "annotation": _with(lambda fw, app, it: app.get("/")(annotated(it))),
    "type": _typed,
    "dependencies=": _with(lambda fw, app, it: app.get("/", dependencies=[it])(lambda: "done")),
    "Depends()": _with(lambda fw, app, it: app.get("/", dependencies=[fw.Depends(it)])(lambda: "done")),
    "override": _with(_overridden),
    "response_model=": _with(lambda fw, app, it: app.get("/", response_model=it)(lambda: None)),
    "response_class=": _with(lambda fw, app, it: app.get("/", response_class=it)(lambda: "done")),
    "route_class_override=": _with(
        lambda fw, app, it: app.router.add_api_route("/", lambda: "done", route_class_override=it)
    ),
    "generate_unique_id_function=": _with(
        lambda fw, app, it: app.get("/", generate_unique_id_function=it)(lambda: "done")
    ),
    "include_router": _with(lambda fw, app, it: app.include_router(it)),
    "mount": _with(lambda fw, app, it: app.mount("/m", it)),
    "routes=": lambda fw, it: fw.FastAPI(routes=[it]),
    "webhooks=": lambda fw, it: fw.FastAPI(webhooks=it),
    "raised": _raising,
    "endpoint": _with(lambda fw, app, it: app.get("/")(it)),
}


@pytest.mark.filterwarnings("ignore")  # of coroutines that are never awaited, and the like
@pytest.mark.parametrize("place", EVERYWHERE)
def test_every_public_object_of_fastapi_in_every_place(place: str) -> None:
    """As FastAPI's application, or refused; or as with ferrapi's object of that name, if that is another answer."""
    wrong = []
    for name, it in OBJECTS["fastapi"].items():
        own = OBJECTS["ferrapi"].get(name, it)

        def make(fw: Framework, foreign: Framework, it: Callable[[], Any] = it) -> Any:
            return EVERYWHERE[place](fw, it())

        def make_own(fw: Framework, foreign: Framework, own: Callable[[], Any] = own) -> Any:
            return EVERYWHERE[place](fw, own())

        try:
            check(make, documented=False, asks=ASKS[:2])
        except AssertionError as exc:
            of_own, mixed = (outcome(one, FERRAPI, FERRAPI, ASKS[:2]) for one in (make_own, make))
            if not (of_own == mixed or (isinstance(mixed, type(of_own)) and isinstance(mixed, Exception))):
                wrong.append(f"{name}: {str(exc)[:300]}")
    assert wrong == []
