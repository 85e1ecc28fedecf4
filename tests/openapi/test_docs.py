"""The documentation pages: what they contain, and that nothing in them breaks out of its place."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import fastapi.openapi.docs
import pytest
from ferrapi.openapi import docs
from ferrapi.openapi.docs import (
    get_redoc_html,
    get_swagger_ui_html,
    get_swagger_ui_oauth2_redirect_html,
    local_url,
    swagger_ui_default_parameters,
)
from pydantic import HttpUrl
from starlette.datastructures import URL
from starlette.responses import HTMLResponse


class Page(HTMLParser):
    """The elements and scripts of a page, as a browser sees them."""

    def __init__(self, response: HTMLResponse) -> None:
        super().__init__(convert_charrefs=True)
        self.text = bytes(response.body).decode()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: dict[tuple[str, str], list[str | None]] = {}
        self.contents: dict[str, str] = {}
        self._element = ""
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            self.values.setdefault((tag, name), []).append(value)
        self._element = tag

    def handle_data(self, data: str) -> None:
        self.contents[self._element] = self.contents.get(self._element, "") + data


HOSTILE = [
    "</title><script>alert(1)</script>",
    "/o\"</script>'",
    "/r'",
    "/o' + alert(1) + '",
    '" onload="alert(1)',
    "<!--<script>",
    "\\' + alert(1) //",
    "/a\nb\r\u2028\u2029c",
    "${alert(1)}$title",
    "&quot;&#x27;",
    "]]><img src=x onerror=alert(1)>",
]


def _swagger_ui(value: str) -> Page:
    return Page(
        get_swagger_ui_html(
            openapi_url=value,
            title=value,
            swagger_js_url=value,
            swagger_css_url=value,
            swagger_favicon_url=value,
            oauth2_redirect_url=value,
            init_oauth={"appName": value, value: [value]},
            swagger_ui_parameters={value: value, "nested": {"a": value}},
        )
    )


def _redoc(value: str) -> Page:
    return Page(get_redoc_html(openapi_url=value, title=value, redoc_js_url=value, redoc_favicon_url=value))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("page", [_swagger_ui, _redoc])
def test_no_value_adds_an_element_or_attribute(page: Any, value: str) -> None:
    hostile = page(value)
    assert hostile.elements == page("/harmless").elements
    assert hostile.contents["title"].strip() == value.strip()


def _strings(script: str) -> list[str]:
    """The string literals of a script, decoded; fails if a quote or a line is left over."""
    literal = re.compile(r"'(?:[^'\\\n\r\u2028\u2029]|\\.)*'|\"(?:[^\"\\\n\r\u2028\u2029]|\\.)*\"")
    rest = literal.sub("", script)
    assert not set(rest) & {"'", '"', "`", "<", "\\"}, rest
    return [json.loads('"' + one[1:-1] + '"') for one in literal.findall(script)]


@pytest.mark.parametrize("value", HOSTILE)
def test_values_are_strings_of_the_script(value: str) -> None:
    page = _swagger_ui(value)
    script = page.contents["script"]
    assert _strings(script).count(value) == 8
    assert not re.search(r"[<>&\u2028\u2029]", script)
    url = re.search(r"^url: (.*),$", script, re.MULTILINE)
    redirect = re.search(r"^oauth2RedirectUrl: window.location.origin \+ (.*),$", script, re.MULTILINE)
    assert url
    assert redirect
    for literal in (url[1], redirect[1]):
        assert _strings(literal) == [value]
        assert not set(literal[1:-1]) & {"<", "'", '"'}


@pytest.mark.parametrize("value", HOSTILE)
def test_values_are_attributes_of_the_page(value: str) -> None:
    swagger_ui, redoc = _swagger_ui(value), _redoc(value)
    assert swagger_ui.values["link", "href"] == [value, value]
    assert swagger_ui.values["script", "src"] == [value]
    assert redoc.values["redoc", "spec-url"] == [value]
    assert redoc.values["script", "src"] == [value]
    assert value in redoc.values["link", "href"]


@pytest.mark.parametrize("kind", [str, URL, HttpUrl])
def test_urls_may_be_objects_of_any_kind(kind: Any) -> None:
    openapi, js, css, icon, done = (
        kind(f"http://host.test/{name}") for name in ("openapi", "js", "css", "icon", "done")
    )

    def said(module: Any) -> list[Any]:
        swagger_ui = Page(
            module.get_swagger_ui_html(
                openapi_url=openapi,
                title=openapi,
                swagger_js_url=js,
                swagger_css_url=css,
                swagger_favicon_url=icon,
                oauth2_redirect_url=done,
            )
        )
        redoc = Page(module.get_redoc_html(openapi_url=openapi, title=5, redoc_js_url=js, redoc_favicon_url=icon))
        titles = [page.contents["title"].strip() for page in (swagger_ui, redoc)]
        scripts = [page.values["script", "src"] for page in (swagger_ui, redoc)]
        settings = re.findall(r"'(http://host.test/.*?)'", swagger_ui.text)
        return [
            titles,
            scripts,
            settings,
            sorted(map(str, swagger_ui.values["link", "href"])),
            redoc.values["redoc", "spec-url"],
        ]

    assert said(docs) == said(fastapi.openapi.docs)
    assert said(docs)[0] == ["http://host.test/openapi", "5"]


def test_swagger_ui_options() -> None:
    page = Page(
        get_swagger_ui_html(
            openapi_url="/o.json",
            title="T",
            oauth2_redirect_url="/docs/done",
            init_oauth={"clientId": "c", "usePkce": True},
            swagger_ui_parameters={"deepLinking": False, "syntaxHighlight": {"theme": "x"}, "depth": None},
        )
    )
    script = page.contents["script"]
    for line in (
        "url: '/o.json',",
        '"dom_id": "#swagger-ui",',
        '"layout": "BaseLayout",',
        '"deepLinking": false,',
        '"showExtensions": true,',
        '"syntaxHighlight": {"theme": "x"},',
        '"depth": null,',
        "oauth2RedirectUrl: window.location.origin + '/docs/done',",
        'ui.initOAuth({"clientId": "c", "usePkce": true})',
    ):
        assert line in script.splitlines()


def test_swagger_ui_defaults() -> None:
    page = Page(get_swagger_ui_html(openapi_url="/o.json", title="T"))
    assert "initOAuth" not in page.text
    assert "oauth2RedirectUrl" not in page.text
    assert swagger_ui_default_parameters == fastapi.openapi.docs.swagger_ui_default_parameters


def test_parameters_do_not_leak_into_the_next_page() -> None:
    get_swagger_ui_html(openapi_url="/", title="T", swagger_ui_parameters={"mine": 1})
    assert "mine" not in Page(get_swagger_ui_html(openapi_url="/", title="T")).text


def test_redoc_fonts_are_optional() -> None:
    assert "fonts.googleapis.com" in Page(get_redoc_html(openapi_url="/", title="T")).text
    assert "fonts" not in Page(get_redoc_html(openapi_url="/", title="T", with_google_fonts=False)).text


def test_redirect_page_hands_the_result_to_its_opener() -> None:
    response = get_swagger_ui_oauth2_redirect_html()
    page = Page(response)
    assert "window.opener.swaggerUIRedirectOauth2" in page.contents["script"]
    assert [name for name, _ in page.elements].count("script") == 1
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", docs.__all__[:3])
def test_functions_take_what_fastapi_takes(name: str) -> None:
    import inspect

    def parameters(module: Any) -> list[tuple[str, Any, Any]]:
        found = inspect.signature(getattr(module, name)).parameters.values()
        return [(one.name, one.kind, one.default) for one in found]

    assert parameters(docs) == parameters(fastapi.openapi.docs)


@pytest.mark.parametrize(
    ("root_path", "expected"),
    [
        ("", "/o.json"),
        ("/", "/o.json"),
        ("/api/v1", "/api/v1/o.json"),
        ("/api/v1/", "/api/v1/o.json"),
        ("//elsewhere.example/x", "/elsewhere.example/x/o.json"),
        ("/\\elsewhere.example", "/elsewhere.example/o.json"),
        ("\\/elsewhere.example", "/elsewhere.example/o.json"),
        ("/a b", "/a%20b/o.json"),
        ("/a?b#c", "/a%3Fb%23c/o.json"),
        ("/already%20quoted", "/already%20quoted/o.json"),
        ("/<x>\"'", "/%3Cx%3E%22%27/o.json"),
        ("/\udcff", "/%3F/o.json"),
        ("https://api.example/v1/", "https://api.example/v1/o.json"),
    ],
)
def test_local_url_stays_on_the_host(root_path: str, expected: str) -> None:
    assert local_url(root_path, "/o.json") == expected
