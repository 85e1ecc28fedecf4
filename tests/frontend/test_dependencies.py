"""Dependencies of applications, includes and routers, in front of files."""

from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, FERRAPI, Framework

from .asking import PAGE, note

ASKS = [
    *(
        Ask(method, path, headers=PAGE)
        for path in ("/", "/missing", "/cart", "/a\0b")
        for method in ("GET", "HEAD", "POST")
    ),
    Ask(path="/missing"),
    Ask(path="/main.js", headers=[(b"if-none-match", b"*")]),
    Ask(path="/main.js", headers=[(b"range", b"bytes=0-0")]),
    Ask(path="/main.js", headers=[(b"range", b"bytes=99-")]),
]


def _guarded(sites: Path, *dependencies: Any, **options: Any) -> Any:
    """An application of one front end; each dependency is made of the package and the log."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(dependencies=[fw.Depends(make(fw, log)) for make in dependencies])
        app.frontend("/", directory=sites / "shop", **options)
        return app

    return make


def test_order(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def noted(name: str) -> list[Any]:
            return [fw.Depends(note(log, name))]

        inner = fw.APIRouter(dependencies=noted("inner"))
        inner.frontend("/", directory=sites / "shop")
        outer = fw.APIRouter(dependencies=noted("outer"))
        outer.include_router(inner, prefix="/i", dependencies=noted("outer's include"))
        app = fw.FastAPI(dependencies=noted("app"))
        app.include_router(outer, prefix="/o", dependencies=noted("app's include"))
        app.frontend("/", directory=sites / "desk")
        return app

    compare(make, [Ask(path=path) for path in ("/o/i/main.js", "/note.txt", "/o/i")])


def test_generators_close_after_the_response(sites: Path) -> None:
    def opened(name: str) -> Any:
        def make(fw: Framework, log: list[Any]) -> Any:
            async def dependency() -> Any:
                log.append(f"{name} opens")
                try:
                    yield
                except Exception as exc:
                    log.append((name, type(exc).__name__, getattr(exc, "status_code", None)))
                    raise
                finally:
                    log.append(f"{name} closes")

            return dependency

        return make

    def make(fw: Framework, log: list[Any]) -> Any:
        scopes = {"request": "request", "function": "function"}
        app = fw.FastAPI(
            dependencies=[fw.Depends(opened(name)(fw, log), scope=scope) for name, scope in scopes.items()],
        )

        @app.middleware("http")
        async def middleware(request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            log.append(("sent", response.status_code))
            return response

        app.frontend("/", directory=sites / "shop")
        return app

    compare(make, ASKS)


def test_generator_that_raises_something_else(sites: Path) -> None:
    def replacing(fw: Framework, log: list[Any]) -> Any:
        def dependency() -> Any:
            try:
                yield
            except fw.exceptions.StarletteHTTPException:
                raise fw.HTTPException(418) from None

        return dependency

    compare(_guarded(sites, replacing), ASKS)


def test_generator_that_swallows_the_404() -> None:
    """FastAPI answers nothing at all, which servers turn into a 500. ferrapi raises an error that says why."""

    def swallowing(fw: Framework, log: list[Any]) -> Any:
        def dependency() -> Any:
            try:
                yield
            except Exception:
                log.append("swallowed")

        return dependency

    make = _guarded(Path(__file__).parents[1], swallowing, check_dir=False)
    [theirs], [ours] = (answers(fw, make, [Ask(path="/missing")]) for fw in BOTH)
    assert theirs.status is None
    assert (ours.status, type(ours.exception).__name__) == (500, "FastAPIError")
    assert ours.log == theirs.log == ["swallowed"]


def test_injected_response_and_background_tasks(sites: Path) -> None:
    """Headers are added to whatever is sent; the status code is the file's."""

    def injecting(fw: Framework, log: list[Any]) -> Any:
        def dependency(response: fw.Response, tasks: fw.BackgroundTasks) -> None:
            response.headers["x-dependency"] = "yes"
            response.headers["content-type"] = "text/x-twice"
            response.set_cookie("seen", "1")
            response.status_code = 203
            tasks.add_task(log.append, "task")

        return dependency

    compare(_guarded(sites, injecting), ASKS)


def test_parameters(sites: Path) -> None:
    def reading(fw: Framework, log: list[Any]) -> Any:
        def dependency(
            token: str, size: int = 1, x_h: str = fw.Header("none"), session: str = fw.Cookie("none")
        ) -> None:
            log.append((token, size, x_h, session))

        return dependency

    queries = (b"", b"token=a", b"token=a&size=2", b"token=a&size=big", b"size=big")
    asks = [Ask(path=path, query=query) for path in ("/", "/missing", "/a\0b") for query in queries]
    asks.append(Ask(query=b"token=a", headers=[(b"x-h", b"h"), (b"cookie", b"session=s")]))
    compare(_guarded(sites, reading), asks)


def test_names_of_a_prefix_are_no_path_parameters(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def dependency(name: str) -> None:
            log.append(name)

        router = fw.APIRouter()
        router.frontend("/", directory=sites / "shop")
        app = fw.FastAPI()
        app.include_router(router, prefix="/{name}", dependencies=[fw.Depends(dependency)])
        return app

    compare(make, [Ask(path="/{name}/main.js", query=query) for query in (b"", b"name=a")])


def test_bodies_are_not_read(sites: Path) -> None:
    def json_body(fw: Framework, log: list[Any]) -> Any:
        def dependency(body: dict[str, int]) -> None:
            log.append(body)

        return dependency

    def form(fw: Framework, log: list[Any]) -> Any:
        def dependency(a: int = fw.Form()) -> None:
            log.append(a)

        return dependency

    json_type, form_type = (
        [(b"content-type", kind)] for kind in (b"application/json", b"application/x-www-form-urlencoded")
    )
    asks = [Ask(headers=json_type, body=[b'{"a":1}']), Ask(headers=form_type, body=[b"a=1"]), Ask()]
    for made in (json_body, form):
        for answer in compare(_guarded(sites, made), asks):
            assert (answer.status, answer.reads) == (422, 0)


def test_validation_error_as_handlers_see_it(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def dependency(token: int) -> None:
            log.append("never")

        app = fw.FastAPI(dependencies=[fw.Depends(dependency)])
        app.frontend("/", directory=sites / "shop")

        @app.exception_handler(fw.exceptions.RequestValidationError)
        def handler(request: Any, exc: Any) -> PlainTextResponse:
            log.append((exc.errors(), exc.body, exc.endpoint_ctx))
            return PlainTextResponse("handled")

        return app

    compare(make, [Ask(query=b"token=x"), Ask()])


def test_refusal_comes_before_any_look_at_the_disk(sites: Path) -> None:
    """Other methods than GET and HEAD are refused without asking a dependency."""

    def make(fw: Framework, log: list[Any]) -> Any:
        def dependency() -> None:
            log.append("asked")
            raise fw.HTTPException(401, headers={"www-authenticate": "Some"})

        app = fw.FastAPI(dependencies=[fw.Depends(dependency)])
        app.frontend("/", directory=sites / "absent", check_dir=False)
        app.frontend("/shop", directory=sites / "shop")
        return app

    compare(
        make, [Ask(m, p) for m in ("GET", "HEAD", "POST") for p in ("/", "/shop/main.js", "/shop/none", "/shop/a\0b")]
    )


def test_overrides(sites: Path) -> None:
    def original() -> None:
        raise RuntimeError("overridden")

    def make(fw: Framework, log: list[Any]) -> Any:
        def override(q: str) -> None:
            log.append(("override", q))

        async def nested(value: Any = fw.Depends(original)) -> None:
            log.append("nested")

        router = fw.APIRouter(dependencies=[fw.Depends(nested)])
        router.frontend("/", directory=sites / "shop")
        app = fw.FastAPI(dependencies=[fw.Depends(original)])
        app.include_router(router, prefix="/r")
        app.frontend("/", directory=sites / "shop")
        app.dependency_overrides[original] = override
        return app

    def restore(app: Any) -> None:
        app.dependency_overrides.clear()

    compare(
        make,
        [
            *(Ask(path=path, query=query) for path in ("/", "/r/") for query in (b"q=1", b"")),
            Ask(query=b"q=1", before=restore),
            Ask(path="/r/"),
        ],
    )


def test_dependencies_are_those_of_the_first_declaration(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(dependencies=[fw.Depends(note(log, "early"))])
        app.frontend("/", directory=sites / "shop")
        app.router.dependencies.append(fw.Depends(note(log, "late")))
        app.frontend("/desk", directory=sites / "desk")
        return app

    compare(make, [Ask(), Ask(path="/desk/")])


def test_only_those_of_the_front_end_that_answers(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        for name in ("shop", "desk"):
            router = fw.APIRouter(dependencies=[fw.Depends(note(log, name))])
            router.frontend("/", directory=sites / name)
            app.include_router(router, prefix=f"/{name}")
        app.get("/shop/main.js")(lambda: "route")
        return app

    compare(make, [Ask(path=path) for path in ("/shop/", "/desk/", "/shop/main.js", "/none")])


def test_security_scopes_and_shared_calls(sites: Path) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def shared() -> int:
            log.append("shared")
            return len(log)

        def first(value: int = fw.Depends(shared)) -> None:
            log.append(("first", value))

        def secured(scopes: fw.security.SecurityScopes, value: int = fw.Depends(shared)) -> None:
            log.append((scopes.scopes, value))

        app = fw.FastAPI(dependencies=[fw.Depends(first), fw.Security(secured, scopes=["read"])])
        app.frontend("/", directory=sites / "shop")
        return app

    compare(make, [Ask()])


def test_error_of_a_dependency_reaches_its_handler(sites: Path) -> None:
    def failing(fw: Framework, log: list[Any]) -> Any:
        def dependency() -> None:
            raise LookupError("no such thing")

        return dependency

    def make(fw: Framework, log: list[Any]) -> Any:
        app = _guarded(sites, failing)(fw, log)

        @app.exception_handler(LookupError)
        async def handler(request: Any, exc: Any) -> PlainTextResponse:
            log.append((str(exc), dict(request.path_params)))
            return PlainTextResponse("handled", 599)

        return app

    compare(make, [Ask(), Ask("POST")])
    compare(_guarded(sites, failing), [Ask()])


def test_too_many_parameters_are_400(sites: Path) -> None:
    """A limit of ferrapi's own; FastAPI has none."""

    def reading(fw: Framework, log: list[Any]) -> Any:
        def dependency(q: str = "") -> None: ...

        return dependency

    asks = [Ask(query=b"&".join([b"a=1"] * count)) for count in (10_000, 10_001)]
    within, beyond = answers(FERRAPI, _guarded(sites, reading), asks)
    assert (within.status, beyond.status) == (200, 400)
