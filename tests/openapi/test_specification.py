"""Documents are what the specification says, by the schemas that it publishes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator
from typing import Any

import pytest
from ferrapi import APIRouter, Depends, FastAPI, Request
from ferrapi.security import OAuth2PasswordBearer
from ferrapi.sse import EventSourceResponse
from pydantic import BaseModel

validator = pytest.importorskip("openapi_spec_validator", reason="requirements-dev.txt is not installed")
KINDS = {"3.1.0": validator.OpenAPIV31SpecValidator, "3.2.0": validator.OpenAPIV32SpecValidator}


def _assert_valid(document: dict[str, Any], version: str) -> None:
    assert document["openapi"] == version
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in KINDS[version](document).iter_errors()]
    assert errors == []


class Item(BaseModel):
    name: str
    parts: list[Item] = []


def _application(version: str) -> FastAPI:
    app = FastAPI(openapi_version=version, openapi_tags=[{"name": "a"}], servers=[{"url": "/below"}])
    callbacks = APIRouter()
    callbacks.post("{$request.body#/url}")(lambda: None)

    @app.post("/items/{key}", callbacks=callbacks.routes, responses={"4XX": {"model": Item}, "default": {}})
    def create(key: int, item: Item, token: str = Depends(OAuth2PasswordBearer("token"))) -> list[Item]:
        return []

    @app.webhooks.post("told")
    def told(item: Item) -> None: ...

    return app


@pytest.mark.parametrize("version", KINDS)
def test_a_document_is_valid_in_the_version_that_it_is_written_in(version: str) -> None:
    _assert_valid(_application(version).openapi(), version)


def test_streams_are_described_in_the_words_of_openapi_3_2() -> None:
    """FastAPI uses these words under 3.1 too, which has none for streams."""
    app = _application("3.2.0")

    @app.get("/lines")
    async def lines() -> AsyncIterable[Item]:
        yield Item(name="x")

    @app.get("/events", response_class=EventSourceResponse)
    def events() -> Iterator[Item]:
        yield Item(name="x")

    _assert_valid(app.openapi(), "3.2.0")


def test_methods_of_all_names_have_a_place_since_openapi_3_2() -> None:
    app = FastAPI(openapi_version="3.2.0")

    def things(request: Request, wanted: Item) -> None: ...

    for method in ("QUERY", "PURGE", "GET", "LINK"):
        app.add_api_route("/things", things, methods=[method], operation_id=f"{method}_things")

    document = app.openapi()
    _assert_valid(document, "3.2.0")
    item = document["paths"]["/things"]
    assert item.keys() == {"get", "query", "additionalOperations"}
    assert item["additionalOperations"].keys() == {"PURGE", "LINK"}
    assert "requestBody" in item["query"]
