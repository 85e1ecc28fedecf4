"""User code may put anything into a response's head, and clients may put anything into what pages show."""

import asyncio
from typing import Any

import pytest
from support.asgi import Answer, Ask
from support.compare import Make, answers
from support.frameworks import FERRAPI, Framework


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """The server errors of this file are wanted."""


def ours(make: Make, ask: Ask | None = None) -> Answer:
    """ferrapi's answer."""
    return answers(FERRAPI, make, [ask or Ask()])[0]


def with_head(status: int, name: str, value: str) -> Make:
    """An application whose endpoint returns a response with this head."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/")
        async def root() -> Any:
            return fw.responses.JSONResponse({}, status_code=status, headers={name: value})

        @app.get("/injected")
        async def injected(response: fw.Response) -> Any:
            response.headers[name] = value
            response.status_code = status
            return {}

        @app.get("/raised")
        async def raised() -> Any:
            raise fw.HTTPException(status, headers={name: value})

        return app

    return make


@pytest.mark.parametrize("path", ["/", "/injected", "/raised"])
@pytest.mark.parametrize("status", [-1, 0, 99, 1000, 2**70])
def test_a_status_that_is_none_is_a_500(status: int, path: str) -> None:
    answer = ours(with_head(status, "x-a", "b"), Ask(path=path))
    assert answer.status == 500
    assert answer.error == "InvalidResponseError"


@pytest.mark.parametrize("path", ["/", "/injected", "/raised"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-a", "a\r\nset-cookie: b=c"),
        ("x-a", "a\nb"),
        ("x-a", "a\rb"),
        ("x-a", "a\x00b"),
        ("x-a", "\x7f"),
        ("x bad", "a"),
        ("x:bad", "a"),
        ("", "a"),
        ("x\r\n", "a"),
        ("x-é", "a"),
    ],
)
def test_a_header_that_is_none_is_a_500(name: str, value: str, path: str) -> None:
    answer = ours(with_head(200, name, value), Ask(path=path))
    assert answer.status == 500
    assert all(b"\r" not in part and b"\n" not in part for header in answer.headers for part in header)


@pytest.mark.parametrize("value", ["é", "\xff", "a\tb", " a ", "", "\"';,"])
def test_odd_but_legal_values_pass(value: str, framework: Framework) -> None:
    answer = answers(framework, with_head(200, "x-a", value), [Ask()])[0]
    assert answer.status == 200
    assert (b"x-a", value.encode("latin-1")) in answer.headers


HOSTILE = ["</title><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "</script><script>x", "a'b\"c<d>&e"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_escape_their_title(text: str, path: str) -> None:
    answer = ours(lambda fw, log: fw.FastAPI(title=text), Ask(path=path))
    assert answer.status == 200
    page = answer.body.decode()
    assert text not in page
    assert "<script>alert" not in page
    assert "<img" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_pages_escape_their_urls(text: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return fw.FastAPI(
            openapi_url=f"/o{text}",
            swagger_ui_oauth2_redirect_url=f"/r{text}",
            swagger_ui_parameters={"x": text, text: 1},
        )

    for path in ("/docs", "/redoc"):
        page = ours(make, Ask(path=path)).body.decode()
        assert text not in page
        assert "<img" not in page


@pytest.mark.parametrize("root", ["/x</script><script>alert(1)</script>", "/'+alert(1)+'", '/"><img src=x>'])
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_escape_the_root_path(root: str, path: str) -> None:
    """A path parameter of a mount, or a proxy, decides the root path: so a client may."""

    def mounted(fw: Framework, log: list[Any]) -> Any:
        outer = fw.FastAPI()
        outer.mount("/{tenant:path}/app", fw.FastAPI())
        return outer

    for answer in (
        ours(lambda fw, log: fw.FastAPI(), Ask(path=root + path, root_path=root)),
        ours(mounted, Ask(path=root + "/app" + path)),
    ):
        page = answer.body.decode()
        assert answer.status == 200
        assert root not in page
        assert "<script>alert" not in page
        assert "<img" not in page


def test_http_basic_with_a_user_that_is_not_ascii(framework: Framework) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        basic = fw.security.HTTPBasic()

        @app.get("/")
        async def root(user: Any = fw.Depends(basic)) -> Any:
            return user.username

        return app

    for value, status in ((b"Basic w7w6cA==", 401), (b"Basic !", 401), (b"Basic", 401), (b"Basic dTpw", 200)):
        answer = answers(framework, make, [Ask(headers=[(b"authorization", value)])])[0]
        assert answer.status == status
        assert (b"www-authenticate" in dict(answer.headers)) == (status == 401)


def test_a_reused_exception_keeps_no_request_alive() -> None:
    import gc
    import weakref

    alive: list[weakref.ref[Any]] = []

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        error = fw.HTTPException(404)

        @app.get("/")
        async def root(request: fw.Request) -> Any:
            alive.append(weakref.ref(request))
            raise error

        return app

    answers(FERRAPI, make, [Ask()] * 50)
    gc.collect()
    assert len(alive) == 50
    assert not [request for request in alive if request() is not None]


def test_many_first_requests_at_once_build_one_consistent_table() -> None:
    """Threads with loops of their own, all asking a new application for the first time."""
    import threading

    from support.asgi import exchange

    for _ in range(25):
        app = FERRAPI.FastAPI()
        for number in range(20):
            router = FERRAPI.APIRouter()

            @router.get("/x/{item}")
            async def root(item: int, q: str = "q") -> Any:
                return [item, q]

            app.include_router(router, prefix=f"/r{number}")
        found: list[Any] = []
        barrier = threading.Barrier(8)

        def ask(app: Any = app, found: list[Any] = found, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            answer = asyncio.run(exchange(app, Ask(path="/r19/x/3")))
            found.append((answer.status, answer.body))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [(200, b'[3,"q"]')] * 8
