"""An application's own pages: they load without a network wherever it is mounted, and whatever the client calls it."""

import re
from html.parser import HTMLParser
from urllib.parse import quote, urljoin

import pytest
from ferrapi import FastAPI
from starlette.testclient import TestClient
from support.frameworks import BOTH

BASE = "http://testserver"


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the URLs of what it loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[tuple[str, tuple[str, ...]]] = []
        self.loaded: list[str] = []
        self.documents = [eval(found) for found in re.findall(r"^url: ('.*'),$", page, re.MULTILINE)]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            if name in ("src", "href") and value:
                self.loaded.append(value)
            if name == "spec-url" and value:
                self.documents.append(value)


def _open(client: TestClient, path: str) -> Elements:
    """Get a page and everything it needs."""
    response = client.get(path)
    assert response.status_code == 200
    page = Elements(response.text)
    assert len(page.loaded) >= 2
    assert len(page.documents) == 1
    for url in page.loaded + page.documents:
        absolute = urljoin(BASE + path, url)
        assert absolute.startswith(f"{BASE}/")
        assert not absolute.startswith(f"{BASE}//")
        assert client.get(absolute).status_code == 200
    return page


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_need_no_network(path: str) -> None:
    _open(TestClient(FastAPI()), path)


def test_pages_at_other_paths() -> None:
    client = TestClient(FastAPI(docs_url="/", redoc_url="/deep/er/reference", openapi_url="/schema.json"))
    assert _open(client, "/").documents == ["/schema.json"]
    assert _open(client, "/deep/er/reference").documents == ["/schema.json"]


def test_one_page_without_the_other() -> None:
    _open(TestClient(FastAPI(docs_url=None)), "/redoc")
    _open(TestClient(FastAPI(redoc_url=None)), "/docs")


def test_no_pages_without_a_document() -> None:
    client = TestClient(FastAPI(openapi_url=None))
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_of_a_mounted_application(path: str) -> None:
    app = FastAPI()
    app.mount("/inner", FastAPI(title="Inner"))
    page = _open(TestClient(app), "/inner" + path)
    assert page.documents == ["/inner/openapi.json"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
@pytest.mark.parametrize(
    "place",
    ['"onload="alert(1)', "</script><script>alert(1)</script>", "'+alert(1)+'", "\\'", "a b?c#d", "<!--", "&quot;"],
)
def test_the_place_of_a_mount_is_only_text(path: str, place: str) -> None:
    app = FastAPI()
    app.mount("/{place:path}/app", FastAPI())
    page = _open(TestClient(app), "/" + quote(place, safe="") + "/app" + path)
    assert page.names == Elements(TestClient(FastAPI()).get(path).text).names


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
@pytest.mark.parametrize("place", ["/elsewhere.example", "\\elsewhere.example"])
def test_the_place_of_a_mount_is_no_other_host(path: str, place: str) -> None:
    app = FastAPI()
    app.mount("/{place:path}", FastAPI())
    response = TestClient(app).get(BASE + "/" + quote(place) + path)
    assert response.status_code == 200
    page = Elements(response.text)
    for url in page.loaded + page.documents:
        assert urljoin(BASE + "/x/y", url.replace("\\", "/")).startswith(BASE + "/")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_behind_a_proxy(path: str) -> None:
    response = TestClient(FastAPI(), root_path="/api/v1").get(path)
    page = Elements(response.text)
    assert page.documents == ["/api/v1/openapi.json"]
    for url in page.loaded:
        assert urljoin(f"{BASE}/api/v1{path}", url).startswith(f"{BASE}/api/v1/")


def test_titles_and_settings_are_only_text() -> None:
    hostile = "</title><script>alert(1)</script>"
    app = FastAPI(
        title=hostile,
        swagger_ui_init_oauth={"appName": hostile},
        swagger_ui_parameters={hostile: hostile},
        swagger_ui_oauth2_redirect_url="/r'",
        openapi_url="/o\"</script>'",
    )
    plain = FastAPI(title="T", swagger_ui_init_oauth={"appName": "T"})
    for path in ("/docs", "/redoc"):
        response = TestClient(app).get(path)
        assert hostile not in response.text
        assert '/o"' not in response.text
        assert "/r'" not in response.text
        assert Elements(response.text).names == Elements(TestClient(plain).get(path).text).names


def test_the_redirect_page_is_where_the_page_says() -> None:
    client = TestClient(FastAPI(swagger_ui_oauth2_redirect_url="/docs/done"))
    (script,) = Elements(client.get("/docs/done?code=c&state=s").text).loaded
    assert script.startswith("/docs/done?")
    assert "swaggerUIRedirectOauth2" in client.get(script).text
    assert "oauth2RedirectUrl: window.location.origin + '/docs/done'," in client.get("/docs").text
    assert "swaggerUIRedirectOauth2" in client.get("/docs/done").text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_pages_have_nothing_inline(path: str) -> None:
    """So that they work under `Content-Security-Policy: default-src 'self'`; `tests/browser` shows that they do."""
    app = FastAPI(swagger_ui_init_oauth={"appName": "T"})
    text = TestClient(app).get(path).text
    page = Elements(text)
    assert [names for tag, names in page.names if tag == "script" and "src" not in names] == []
    assert "style" not in [tag for tag, _ in page.names]
    assert [name for _, names in page.names for name in names if name == "style" or name.startswith("on")] == []


def test_the_text_of_fastapis_script_is_in_the_page() -> None:
    """Tests and tools of users look for it there."""
    pages = []
    for fw in BOTH:
        app = fw.FastAPI(
            swagger_ui_init_oauth={"clientId": "c", "scopes": "a b", "usePkce": True},
            swagger_ui_parameters={"deepLinking": False, "syntaxHighlight": {"theme": "<x>"}, "none": None},
        )
        text = TestClient(app).get("/docs").text
        pages.append([line.strip() for line in text[text.index("const ui") :].splitlines() if line.strip()])
    script = pages[0][: pages[0].index("</script>")]
    assert len(script) > 12
    assert pages[1][: len(script)] == script


def test_files_that_are_not_for_pages_are_not_served() -> None:
    client = TestClient(FastAPI())
    for name in ("manifest.json", "redoc.LICENSE", "..%2f..%2fdocs.py", "swagger-ui.css", ""):
        for page in ("/docs", "/redoc"):
            assert client.get(page, params={"ferrapi-asset": name}).status_code == 404


def test_pages_are_no_part_of_the_document() -> None:
    assert FastAPI().openapi()["paths"] == {}
