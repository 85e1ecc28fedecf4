"""A strictly typed program gives type checkers as little to complain of with ferrapi as with FastAPI."""

import site
import subprocess
import sys
from pathlib import Path

import ferrapi
from support.frameworks import BOTH

PROGRAM = """
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Annotated, Any, assert_type

from pydantic import BaseModel
from starlette.requests import HTTPConnection

from PACKAGE import APIRouter, Depends, FastAPI, Query, Request, Response, Security, WebSocket
from PACKAGE.datastructures import Default, DefaultPlaceholder
from PACKAGE.exception_handlers import http_exception_handler
from PACKAGE.openapi.models import Contact, Info
from PACKAGE.responses import JSONResponse
from PACKAGE.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from PACKAGE.security import HTTPDigest, OAuth2, OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer, OpenIdConnect
from PACKAGE.sse import EventSourceResponse, ServerSentEvent
from PACKAGE.utils import get_value_or_default


class Item(BaseModel):
    name: str


app = FastAPI(dependencies=[Depends(lambda: 1)], exception_handlers={404: http_exception_handler})
assert_type(app.webhooks, APIRouter)
assert_type(app.openapi_schema, dict[str, Any] | None)
assert_type(get_value_or_default(Default(1), 2), DefaultPlaceholder | int)
Info(title="t", version="1", contact=Contact(email="someone@example.com"))


@app.webhooks.post("hook")
def hook(item: Item) -> None: ...


@app.get("/{x}", response_model=Item, response_model_exclude={"a": {"b"}}, openapi_extra={"x": 1})
async def show(x: int, q: Annotated[str | None, Query()] = None, k: list[int] = Query(default_factory=list)) -> Any: ...


@app.websocket("/ws")
async def talk(socket: WebSocket) -> None: ...


@app.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterable[ServerSentEvent]:
    yield ServerSentEvent(data=1)


@app.middleware("http")
async def passes(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


@app.exception_handler(ValueError)
async def answers(request: Request, exc: ValueError) -> JSONResponse:
    return JSONResponse({})


async def read(connection: HTTPConnection) -> None:
    assert_type(await HTTPBearer()(connection), HTTPAuthorizationCredentials | None)
    assert_type(await HTTPDigest()(connection), HTTPAuthorizationCredentials | None)
    assert_type(await HTTPBasic()(connection), HTTPBasicCredentials | None)
    assert_type(await APIKeyHeader(name="x")(connection), str | None)
    assert_type(await OAuth2()(connection), str | None)
    assert_type(await OAuth2PasswordBearer(tokenUrl="t")(connection), str | None)
    assert_type(await OAuth2AuthorizationCodeBearer(authorizationUrl="a", tokenUrl="t")(connection), str | None)
    assert_type(await OpenIdConnect(openIdConnectUrl="u")(connection), str | None)
"""


def test_a_strictly_typed_program(tmp_path: Path) -> None:
    for framework in BOTH:
        (tmp_path / f"with_{framework}.py").write_text(PROGRAM.replace("PACKAGE", framework.package))
    place = Path(ferrapi.__file__).parents[1]
    is_installed = str(place) in site.getsitepackages()  # where mypy looks by itself, and wants to be told of nothing
    settings = "[mypy]\nstrict = True\n" + ("" if is_installed else f"mypy_path = {place}\n")
    (tmp_path / "mypy.ini").write_text(settings)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "with_fastapi.py", "with_ferrapi.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
