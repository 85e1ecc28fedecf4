"""When a document is made, by whom, how it is sent, and what an error says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from ferrapi import Body, FastAPI, applications
from ferrapi.versioning import Versioning
from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from support.asgi import Ask, exchange, run
from support.compare import USUAL, answers, compare
from support.frameworks import FERRAPI


def _counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads in which documents are made from now on; each takes its time."""
    threads: list[int] = []
    usual = applications.get_openapi  # type: ignore[attr-defined]  # made when it is asked for

    def noting(**settings: Any) -> dict[str, Any]:
        threads.append(threading.get_ident())
        time.sleep(0.05)  # so that others ask meanwhile
        return usual(**settings)

    monkeypatch.setattr(applications, "get_openapi", noting)
    return threads


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/openapi.json"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_first_requests_share_one_document_that_is_made_off_the_event_loop(
    path: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anyio

    app = FastAPI(versioning=Versioning(["1"]))
    app.get("/x", versions="1")(lambda: None)
    threads = _counting(monkeypatch)
    found: list[bytes] = []

    async def main() -> None:
        async def one() -> None:
            found.append((await exchange(app, Ask(path=path))).body)

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(one)

    run(main, backend)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_threads_share_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    threads = _counting(monkeypatch)
    asking = [threading.Thread(target=app.openapi) for _ in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(threads) == 1


def test_an_applications_own_code_makes_the_document_where_fastapi_runs_it() -> None:
    def make(fw: Any, log: list[Any]) -> Any:
        app = fw.FastAPI(title="own")
        usual = app.openapi

        def own() -> Any:
            log.append(threading.current_thread() is threading.main_thread())
            return {**usual(), "x-own": True}

        app.openapi = own
        return app

    compare(make, [Ask(path="/openapi.json"), Ask(path="/openapi.json")])


def test_an_edit_of_the_document_in_place_is_seen_as_in_fastapi() -> None:
    def make(fw: Any, log: list[Any]) -> Any:
        return fw.FastAPI(title="edited")

    def edit(app: Any) -> None:
        app.openapi_schema["info"]["x-logo"] = "ring"

    found = compare(make, [Ask(path="/openapi.json"), Ask(path="/openapi.json", before=edit)])
    assert b"x-logo" in found[-1].body
    assert all(name != b"etag" for answer in found for name, _ in answer.headers)


def _tagged(fw: Any, log: list[Any]) -> FastAPI:
    return FastAPI(title="tagged", openapi_etag=True)


@pytest.mark.parametrize("transport", USUAL)
def test_a_client_that_has_the_document_is_told_so(transport: str) -> None:
    first = answers(FERRAPI, _tagged, [Ask(path="/openapi.json")], transport)[0]
    tag = dict(first.headers)[b"etag"]
    told = [tag, b'"other", ' + tag, b"W/" + tag, b"*", b'"other"', b""]
    asks = [Ask(path="/openapi.json", headers=[(b"if-none-match", one)] if one else []) for one in told]
    found = answers(FERRAPI, _tagged, asks, transport)
    assert [answer.status for answer in found] == [304, 304, 304, 304, 200, 200]
    assert [answer.body for answer in found] == [b""] * 4 + [first.body] * 2
    assert all((b"etag", tag) in answer.headers for answer in found)


def test_the_tag_changes_with_the_document_and_with_its_servers() -> None:
    def route(app: Any) -> None:
        app.get("/later")(lambda: None)

    def assign(app: Any) -> None:
        app.openapi_schema = {"openapi": "3.1.0"}

    asks = [
        Ask(path="/openapi.json"),
        Ask(path="/openapi.json", before=route),
        Ask(path="/below/openapi.json", root_path="/below"),
        Ask(path="/openapi.json", before=assign),
    ]
    found = answers(FERRAPI, _tagged, asks)
    assert len({dict(answer.headers)[b"etag"] for answer in found}) == 4
    assert b"/below" in found[2].body
    assert found[3].body == b'{"openapi":"3.1.0"}'


class _Call(BaseModel):
    call: Callable[[int], int]


def _good(x: int) -> None: ...


def _body(good: Annotated[int, Body()], bad: Annotated[_Call, Body()]) -> None: ...


def _answered() -> Any: ...


MISTAKES: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (_body, {}, "The body parameter 'bad' of POST /bad/{x} (_body, "),
    (_answered, {"response_model": _Call}, "The response model of POST /bad/{x} (_answered, "),
    (_answered, {"responses": {404: {"model": _Call}}}, "The response model for 404 of POST /bad/{x} (_answered, "),
]


@pytest.mark.parametrize(("endpoint", "options", "expected"), MISTAKES)
def test_an_error_names_route_parameter_file_and_line(
    endpoint: Callable[..., Any], options: dict[str, Any], expected: str
) -> None:
    app = FastAPI()
    app.get("/good/{x}")(_good)
    app.post("/bad/{x}", **options)(endpoint)
    with pytest.raises(PydanticInvalidForJsonSchema) as raised:
        app.openapi()
    line = endpoint.__code__.co_firstlineno
    assert raised.value.__notes__ == [f"{expected}{__file__}:{line})"]


def test_an_error_in_what_a_route_adds_names_the_route() -> None:
    app = FastAPI()
    app.get("/good/{x}")(_good)
    app.get("/bad", responses={"6XX0": {}}, name="other")(_answered)
    with pytest.raises(ValueError, match="6XX0") as raised:
        app.openapi()
    assert raised.value.__notes__[0].startswith("In the document of GET /bad (_answered, ")
