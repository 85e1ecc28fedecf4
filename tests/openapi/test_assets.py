"""The bundled files: they are those of the manifest, and are served for ever, compressed, or not at all."""

import gzip
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ferrapi import FastAPI
from ferrapi.openapi._assets import (
    FAVICON,
    OAUTH2_REDIRECT_JS,
    REDOC_JS,
    REDOC_PAGE_JS,
    SWAGGER_UI_CSS,
    SWAGGER_UI_JS,
    SWAGGER_UI_PAGE_JS,
    bundled_assets,
)
from starlette.testclient import TestClient

ROOT = Path(__file__).parents[2]
NAMES = (SWAGGER_UI_JS, SWAGGER_UI_CSS, REDOC_JS, FAVICON)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(FastAPI())


def _path(name: str) -> str:
    return "/docs?ferrapi-asset=" + bundled_assets()[name].url


def test_the_files_are_those_of_the_manifest() -> None:
    subprocess.run([sys.executable, str(ROOT / "scripts" / "update_docs_assets.py"), "--check"], check=True)


def test_every_package_comes_with_its_licence() -> None:
    folder = bundled_assets()[FAVICON].path.parent
    for package in json.loads((folder / "manifest.json").read_text())["packages"]:
        licences = [name for name in package["files"] if "LICENSE" in name]
        assert licences or package["name"] == "ferrapi"


@pytest.mark.parametrize("name", NAMES)
def test_served(client: TestClient, name: str) -> None:
    asset = bundled_assets()[name]
    response = client.get(_path(name), headers={"Accept-Encoding": "identity"})
    assert response.status_code == 200
    assert response.content == asset.path.read_bytes()
    assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert response.headers["content-type"].startswith(asset.media_type)
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accept_encoding", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("deflate,gzip;q=1.000", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("br", False),
        ("xgzip", False),
        ("", False),
    ],
)
def test_compressed_for_those_who_ask(client: TestClient, accept_encoding: str, compressed: bool) -> None:
    with client.stream("GET", _path(SWAGGER_UI_CSS), headers={"Accept-Encoding": accept_encoding}) as got:
        content = b"".join(got.iter_raw())
        assert (got.headers.get("content-encoding") == "gzip") is compressed
    assert (gzip.decompress(content) if compressed else content) == bundled_assets()[SWAGGER_UI_CSS].read()


@pytest.mark.parametrize("accept_encoding", ["gzip", "identity"])
def test_not_sent_again(client: TestClient, accept_encoding: str) -> None:
    path, headers = _path(FAVICON), {"Accept-Encoding": accept_encoding}
    etag = client.get(path, headers=headers).headers["etag"]
    again = client.get(path, headers=headers | {"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_head(client: TestClient) -> None:
    assert client.head(_path(FAVICON)).status_code == 200


def test_only_what_pages_load_is_an_asset() -> None:
    rest = {
        name for name in bundled_assets() if not re.fullmatch(r"(swagger-ui|redoc)-[0-9a-f]{8}\.(svg|png|jpg)", name)
    }
    assert rest == {*NAMES, OAUTH2_REDIRECT_JS, SWAGGER_UI_PAGE_JS, REDOC_PAGE_JS, "redoc.worker.js"}


@pytest.mark.parametrize("name", [SWAGGER_UI_CSS, REDOC_JS])
def test_what_a_file_asks_for_is_an_asset(client: TestClient, name: str) -> None:
    """Images and the search worker, at the address of the page: a policy of 'self' loads no `data:` or `blob:` URL."""
    text = bundled_assets()[name].read().decode()
    asked = set(re.findall(r"\?ferrapi-asset=[^\"')]+", text))
    assert asked
    for address in asked:
        assert client.get("/redoc" + address).status_code == 200
    assert "data:image" not in text
    assert "cdn.redoc.ly" not in text
