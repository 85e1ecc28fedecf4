"""Each version has its own document and pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ferrapi import FastAPI
from ferrapi.exceptions import VersioningError
from ferrapi.versioning import Versioning
from support.asgi import Ask
from support.specification import assert_valid

from .shapes import VERSIONS, WAYS, application, everywhere

BELOW = {
    "1": ["/item", "/outer/inner/first", "/again/inner/first"],
    "2": ["/item", "/again/inner/first", "/again/inner/second"],
    "3": ["/item"],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", BELOW)
def test_a_version_documents_what_its_clients_can_call(way: str, version: str) -> None:
    (answer,) = everywhere(lambda fw, log: application(**WAYS[way]), [Ask(path=f"/v{version}/openapi.json")])
    document = json.loads(answer.body)
    assert_valid(document)
    prefix = f"/v{version}" if way == "path" else ""
    assert list(document["paths"]) == [*(prefix + path for path in BELOW[version]), "/health"]
    assert document["info"]["version"] == version
    operations = {path: one["get"] for path, one in document["paths"].items()}
    assert all(("deprecated" in one) == (version == "1" and path != "/health") for path, one in operations.items())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("default", [None, "2"])
def test_the_applications_own_document_is_that_of_the_default_or_the_newest_version(way: str, default: Any) -> None:
    document = application(**WAYS[way], default=default).openapi()
    assert_valid(document)
    prefix = "/v3" if way == "path" and default is None else ""
    assert list(document["paths"]) == [*(prefix + path for path in BELOW[default or "3"]), "/health"]
    assert document["info"]["version"] == "0.1.0"


@pytest.mark.parametrize("default", [None, "2"])
def test_a_document_says_which_header_names_the_version(default: str | None) -> None:
    app = application(by="header", default=default)
    named = {version: app.openapi_of(version)["paths"]["/item"]["get"]["parameters"][-1] for version in BELOW}
    assert {version: one["name"] for version, one in named.items()} == dict.fromkeys(BELOW, "Accept-Version")
    assert {version: one["schema"]["enum"] for version, one in named.items()} == {one: [one] for one in BELOW}
    assert {version: one["required"] for version, one in named.items()} == {one: one != default for one in BELOW}
    assert "parameters" not in app.openapi_of("1")["paths"]["/health"]["get"]


def test_a_document_says_which_media_type_names_the_version() -> None:
    document = application(by="media_type").openapi_of("2")
    responses = document["paths"]["/item"]["get"]["responses"]
    assert {kind for one in responses.values() for kind in one["content"]} == {"application/json; version=2"}
    assert responses.keys() == {"200", "422"}
    assert [*document["paths"]["/health"]["get"]["responses"]["200"]["content"]] == ["application/json"]


@pytest.mark.parametrize("way", ["path", "header"])
def test_each_version_has_its_pages(way: str) -> None:
    asks = [Ask(path=f"/v{version}{page}") for version in BELOW for page in ("/docs", "/redoc")]
    found = everywhere(lambda fw, log: application(**WAYS[way]), [*asks, Ask(path="/docs")])
    for asked, answer in zip(asks, found, strict=False):
        assert answer.status == 200
        assert f"{asked.path[:3]}/openapi.json" in answer.body.decode()
        assert f"<title>FastAPI {asked.path[2]} - " in answer.body.decode()
    assert "/v" not in found[-1].body.decode().split("<script", 1)[0]


def test_addresses_of_documents_follow_the_settings() -> None:
    versioning = Versioning(VERSIONS, by="header", prefix="/api/{version}/meta")
    app = FastAPI(versioning=versioning, openapi_url="/schema", docs_url=None, redoc_url="/read")
    paths = [getattr(route, "path", None) for route in app.routes]
    below = [f"/api/{version}/meta{url}" for version in BELOW for url in ("/schema", "/read")]
    assert paths == ["/schema", "/read", *below]
    assert not FastAPI(versioning=versioning, openapi_url=None).routes


def test_a_version_that_there_is_not_has_no_document() -> None:
    with pytest.raises(VersioningError):
        application().openapi_of("9")
    with pytest.raises(VersioningError):
        FastAPI().openapi_of("1")


def test_the_routes_of_an_application_are_those_of_all_versions_where_paths_name_them() -> None:
    paths = [getattr(route, "path", "") for route in application(default="2").routes]
    assert [path for path in paths if path.endswith("/item")] == ["/v1/item", "/v2/item", "/item", "/v3/item"]
