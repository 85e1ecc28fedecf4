"""``dependencies_before_body=True``: who isn't let in sends the body in vain."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest
from ferrapi import APIRouter, Body, Depends, FastAPI, File, Form, Header, HTTPException, Request, UploadFile
from ferrapi.routing import APIRoute
from ferrapi.security import HTTPBearer
from ferrapi.testclient import TestClient
from pydantic import BaseModel
from support.asgi import Answer, Ask, exchange
from support.wire import Wire, configured

LOG: list[str] = []
JSON = (b"content-type", b"application/json")
TOKEN = (b"authorization", b"Bearer good")
FORM = (b"content-type", b"multipart/form-data; boundary=b")
UPLOAD = b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--b--\r\n'


@pytest.fixture(autouse=True)
def log() -> list[str]:
    LOG.clear()
    return LOG


class Item(BaseModel):
    name: str


async def user(credentials: Annotated[Any, Depends(HTTPBearer())]) -> str:
    LOG.append("user")
    if credentials.credentials != "good":
        raise HTTPException(403)
    return "user"


async def in_body(name: Annotated[str, Body(embed=True)]) -> str:
    LOG.append("in body")
    return name


async def context(name: Annotated[str, Depends(in_body)]) -> AsyncIterator[str]:
    LOG.append("enter")
    yield name
    LOG.append("leave")


def sync_user(name: Annotated[str, Depends(user)]) -> str:
    LOG.append("sync user")
    return name


async def endpoint(
    name: Annotated[str, Depends(context)], item: Item, who: Annotated[str, Depends(sync_user)], page: int = 1
) -> list[Any]:
    LOG.append("endpoint")
    return [name, item.name, who, page]


async def upload(file: UploadFile, who: Annotated[str, Depends(user)]) -> list[Any]:
    return [len(await file.read()), who]


async def form(name: Annotated[str, Form()], who: Annotated[str, Depends(user)]) -> list[str]:
    return [name, who]


def by_route(**options: Any) -> FastAPI:
    app = FastAPI()
    app.post("/json", dependencies_before_body=True)(endpoint)
    app.post("/upload", dependencies_before_body=True)(upload)
    app.post("/form", dependencies_before_body=True)(form)
    return app


def by_app() -> FastAPI:
    app = FastAPI(dependencies_before_body=True)
    app.post("/json")(endpoint)
    app.post("/upload")(upload)
    app.post("/form")(form)
    return app


def by_router() -> FastAPI:
    router = APIRouter(dependencies_before_body=True)
    router.post("/json")(endpoint)
    router.post("/upload")(upload)
    router.post("/form")(form)
    app = FastAPI()
    app.include_router(router)
    return app


def by_include() -> FastAPI:
    router, outer = APIRouter(), APIRouter()
    router.post("/json")(endpoint)
    router.post("/upload")(upload)
    router.post("/form")(form)
    outer.include_router(router, dependencies_before_body=True)
    app = FastAPI(dependencies_before_body=False)
    app.include_router(outer)
    return app


PLACES = pytest.mark.parametrize("make", [by_route, by_app, by_router, by_include])


def ask(app: Any, path: str, headers: Any = (), body: Any = (), **more: Any) -> Answer:
    return asyncio.run(exchange(app, Ask("POST", path, headers=headers, body=body, **more)))


@PLACES
@pytest.mark.parametrize("path", ["/json", "/upload", "/form"])
@pytest.mark.parametrize(("headers", "status"), [((), 401), ([(b"authorization", b"Bearer bad")], 403)])
def test_a_refusal_reads_nothing(make: Callable[[], FastAPI], path: str, headers: Any, status: int) -> None:
    app = make()
    for _ in range(2):
        answer = ask(app, path, [*headers, JSON], [b"{", b"broken"])
        assert (answer.status, answer.reads) == (status, 0)
    assert "in body" not in LOG


def test_without_the_option_the_body_is_read_first() -> None:
    app = FastAPI()
    app.post("/json")(endpoint)
    assert (ask(app, "/json", [JSON], [b"{"]).status, ask(app, "/json", [JSON], [b"{}"]).reads) == (422, 1)


@PLACES
def test_who_is_let_in_is_answered_as_without_it(make: Callable[[], FastAPI]) -> None:
    usual = FastAPI()
    usual.post("/json")(endpoint)
    usual.post("/upload")(upload)
    usual.post("/form")(form)
    asks: list[tuple[str, Any, Any]] = [
        ("/json", [JSON], [b'{"name": "n", ', b'"item": {"name": "i"}}']),
        ("/json", [JSON], [b'{"name": 1, "item": {}}']),
        ("/json", [JSON], [b"{"]),
        ("/json", [JSON], [b"[]"]),
        ("/json", [JSON], []),
        ("/json", [], [b"text"]),
        ("/upload", [FORM], [UPLOAD[:20], UPLOAD[20:]]),
        ("/upload", [FORM], [b"nothing"]),
        ("/upload", [FORM], []),
        ("/form", [(b"content-type", b"application/x-www-form-urlencoded")], [b"name=a%20b"]),
        ("/form", [(b"content-type", b"application/x-www-form-urlencoded")], [b"other=1"]),
    ]
    app = make()
    for path, headers, body in asks:
        ours, theirs = (ask(one, path, [TOKEN, *headers], body) for one in (app, usual))
        assert (ours.status, ours.body, ours.reads) == (theirs.status, theirs.body, theirs.reads)


def test_what_needs_no_body_runs_first_and_in_its_order() -> None:
    answer = ask(by_route(), "/json", [JSON, TOKEN], [b'{"name": "n", "item": {"name": "i"}}'])
    assert json.loads(answer.body) == ["n", "i", "user", 1]
    assert LOG == ["user", "sync user", "in body", "enter", "endpoint", "leave"]


def test_a_mistake_in_what_needs_no_body_is_told_before_it_is_read() -> None:
    async def needs(agent: Annotated[int, Header()]) -> None: ...

    app = FastAPI(dependencies=[Depends(needs)], dependencies_before_body=True)
    app.post("/json")(endpoint)
    answer = ask(app, "/json", [JSON, TOKEN], [b"{"])
    assert (answer.status, answer.reads) == (422, 0)
    assert [error["loc"] for error in json.loads(answer.body)["detail"]] == [["header", "agent"]]


def test_contexts_that_need_no_body_see_what_happens_afterwards() -> None:
    async def session() -> AsyncIterator[None]:
        LOG.append("enter")
        try:
            yield
        except Exception as exc:
            LOG.append(type(exc).__name__)
            raise

    app = FastAPI(dependencies=[Depends(session)], dependencies_before_body=True)
    app.post("/json")(endpoint)
    assert ask(app, "/json", [JSON, TOKEN], [b"{"]).status == 422
    assert LOG == ["enter", "user", "sync user", "RequestValidationError"]


def test_a_dependency_may_read_the_body_itself() -> None:
    async def signed(request: Request) -> None:
        LOG.append((await request.body()).decode())

    app = FastAPI(dependencies=[Depends(signed)], dependencies_before_body=True)

    @app.post("/json")
    async def read(item: Item) -> str:
        return item.name

    @app.post("/upload")
    async def size(file: Annotated[bytes, File()]) -> int:
        return len(file)

    assert ask(app, "/json", [JSON], [b'{"name":', b'"n"}']).body == b'"n"'
    assert LOG == ['{"name":"n"}']
    assert ask(app, "/upload", [FORM], [UPLOAD]).body == b"7"


def test_a_dependency_that_two_need_is_called_once_before_and_an_override_may_want_a_body() -> None:
    app = FastAPI(dependencies_before_body=True)

    async def one(name: Annotated[str, Depends(user)], item: Item) -> list[str]:
        return [name, item.name]

    @app.post("/json")
    async def read(
        parts: Annotated[list[str], Depends(one)], name: Annotated[str, Depends(user)], again: str = Depends(sync_user)
    ) -> list[str]:
        return [*parts, name, again]

    assert ask(app, "/json", [JSON, TOKEN], [b'{"name": "n"}']).body == b'["user","n","user","user"]'
    assert LOG == ["user", "sync user"]
    app.dependency_overrides[sync_user] = in_body
    assert ask(app, "/json", [JSON, TOKEN], [b'{"name": "n"}']).body == b'["user","n","user","n"]'


def test_overrides_that_a_dependency_changes_count_for_what_comes_after_the_body() -> None:
    app = FastAPI(dependencies_before_body=True)

    async def changing() -> None:
        app.dependency_overrides[in_body] = lambda: "overridden"

    @app.post("/json", dependencies=[Depends(changing)])
    async def read(name: Annotated[str, Depends(in_body)], item: Item) -> list[str]:
        return [name, item.name]

    assert ask(app, "/json", [JSON], [b'{"name": "n", "item": {"name": "i"}}']).body == b'["overridden","i"]'


def test_a_route_may_say_otherwise_and_routes_without_a_body_are_run_natively() -> None:
    app = FastAPI(dependencies_before_body=True)
    app.post("/json", dependencies_before_body=False)(endpoint)
    app.get("/none")(lambda who=Depends(user): who)
    assert ask(app, "/json", [JSON], [b"{"]).status == 422
    targets = {route.path: target for route, target in _targets(app)}
    assert targets["/none"].find_program() is not None
    assert targets["/json"].find_program() is not None
    assert {route.path: t.find_program() for route, t in _targets(by_app())}["/json"] is not None


def _targets(app: FastAPI) -> list[tuple[Any, Any]]:
    from ferrapi.routing._contexts import Placed
    from ferrapi.routing._table import Target

    return [(route, Target(Placed(route, None))) for route in app.routes if isinstance(route, APIRoute)]


def test_a_route_class_from_before_the_option_existed_does_not_see_it() -> None:
    class Own(APIRoute):
        def __init__(self, path: str, endpoint: Any, **options: Any) -> None:
            LOG.extend(options)
            super().__init__(path, endpoint, **options)

    router = APIRouter(route_class=Own)
    router.post("/")(endpoint)
    assert "dependencies_before_body" not in LOG
    router.post("/", dependencies_before_body=True)(endpoint)
    assert "dependencies_before_body" in LOG


def test_a_route_class_with_a_handler_of_its_own_has_it_too() -> None:
    class Own(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Any:
                return await handler(request)

            return handle

    app = FastAPI()
    app.router.route_class = Own
    app.post("/json", dependencies_before_body=True)(endpoint)
    answer = ask(app, "/json", [JSON], [b"{"])
    assert (answer.status, answer.reads) == (401, 0)
    assert ask(app, "/json", [JSON, TOKEN], [b'{"name": "n", "item": {"name": "i"}}']).status == 200


async def _written(app: Any, *pieces: bytes, kind: str = "ferrapi") -> bytes:
    wire = Wire(configured(app), kind)
    await wire.feed(*pieces)
    for _ in range(20):
        await asyncio.sleep(0)
    written = wire.written
    await wire.lose()
    return written


def _head(path: str, *lines: bytes) -> bytes:
    return b"\r\n".join([b"POST %b HTTP/1.1" % path.encode(), b"host: a", *lines, b"", b""])


UNFINISHED = [
    [b"content-length: 1000"],
    [b"content-length: 100000000"],
    [b"transfer-encoding: chunked"],
    [b"content-length: 1000", b"expect: 100-continue"],
    [b"content-length: 100000000", b"expect: 100-continue"],
]


@PLACES
@pytest.mark.parametrize("lines", UNFINISHED)
@pytest.mark.parametrize("path", ["/json", "/upload"])
@pytest.mark.parametrize("is_first", [True, False])
def test_on_the_wire_the_refusal_comes_before_the_body(make: Any, lines: Any, path: str, is_first: bool) -> None:
    app = make()
    if not is_first:
        assert ask(app, path).status == 401
    written = asyncio.run(_written(app, _head(path, *lines), b"1\r\n{\r\n"))
    assert written.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in written


def test_on_the_wire_who_is_let_in_is_told_to_continue() -> None:
    content = b'{"name": "n", "item": {"name": "i"}}'
    head = _head(
        "/json", b"content-type: application/json", b"content-length: %d" % len(content), b"authorization: Bearer good"
    )
    expecting = head[:-2] + b"expect: 100-continue\r\n\r\n"
    app = by_route()
    assert asyncio.run(_written(app, expecting)).startswith(b"HTTP/1.1 100 Continue\r\n")
    for first in (head, expecting):
        assert asyncio.run(_written(app, first, content[:5], content[5:])).endswith(b'["n","i","user",1]')
    assert asyncio.run(_written(app, head + content)).endswith(b'["n","i","user",1]')


def test_on_the_wire_the_next_request_is_served_after_a_refusal() -> None:
    app = by_route()
    app.get("/next")(lambda: "next")
    refused = _head("/json", b"content-length: 20")
    written = asyncio.run(_written(app, refused, b"x" * 10, b"x" * 10, b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"))
    assert written.startswith(b"HTTP/1.1 401 ")
    assert written.endswith(b'"next"')


def test_the_document_does_not_change() -> None:
    usual = FastAPI()
    usual.post("/json")(endpoint)
    usual.post("/upload")(upload)
    usual.post("/form")(form)
    assert TestClient(by_app()).get("/openapi.json").json() == TestClient(usual).get("/openapi.json").json()
