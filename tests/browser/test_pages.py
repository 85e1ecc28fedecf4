"""The documentation pages of applications in a real browser, under `Content-Security-Policy: default-src 'self'`."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
import pytest

from .conftest import Browser
from .settings import AWKWARD, PASSWORD, POLICY, PREFIX

Served = Callable[[str], str]
PLACES = {"store": "", "plain": "", "mounted": PREFIX, "proxied": PREFIX, "versioned": "/v2"}
GUARDED = ["plain", "mounted", "proxied"]


def operations(url: str) -> set[tuple[str, str]]:
    """Method and path of each operation of the document."""
    answer = httpx2.get(f"{url}/openapi.json")
    assert answer.headers["content-security-policy"] == POLICY
    return {(method.upper(), path) for path, item in answer.json()["paths"].items() for method in item}


def shown(browser: Browser) -> set[tuple[str, str]]:
    """Method and path of each operation that Swagger UI shows. One with several tags is there several times."""
    blocks = browser.driver.execute_script(
        """return [...document.querySelectorAll(".opblock-summary")].map((one) => [
            one.querySelector(".opblock-summary-method").textContent,
            one.querySelector(".opblock-summary-path, .opblock-summary-path__deprecated").textContent,
        ])"""
    )
    return {(method, path.replace("\u200b", "")) for method, path in blocks}


def described(browser: Browser) -> set[tuple[str, str]]:
    """Method and path of each operation that ReDoc shows."""
    parts = browser.driver.execute_script(
        """return [...document.querySelectorAll('[data-section-id*="operation/"] .http-verb')].map((one) =>
            [one.textContent, one.nextElementSibling.textContent])"""
    )
    return {(method.upper(), path.replace("\u200b", "")) for method, path in parts}


def execute(browser: Browser, method: str, path: str) -> str:
    """Try an operation out; what Swagger UI then says of the answer."""
    block = f'.opblock[id$="{re.sub(r"[^a-z0-9]", "_", path)}_{method.lower()}"]'
    browser.click(f"{block} .opblock-summary-control")
    browser.click(f"{block} .try-out__btn")
    browser.click(f"{block} .execute")
    answer: str = browser.one(f"{block} .live-responses-table tbody .response").text
    return answer


@pytest.mark.parametrize("name", PLACES)
def test_swagger_ui_shows_every_operation(browser: Browser, served: Served, name: str) -> None:
    url = served(name) + PLACES[name]
    browser.open(f"{url}/docs")
    expected = operations(url)
    browser.wait(lambda: shown(browser) == expected)
    browser.screenshot(f"docs-{name}")
    browser.kept_to_itself(url)


@pytest.mark.parametrize("name", PLACES)
def test_redoc_shows_every_operation(browser: Browser, served: Served, name: str) -> None:
    url = served(name) + PLACES[name]
    browser.open(f"{url}/redoc")
    expected = operations(url)
    browser.wait(lambda: described(browser) == expected)
    title = browser.one("h1")
    assert "Montserrat" in title.value_of_css_property("font-family")  # its styles are there
    assert not [one for one in browser.all("img") if not urlsplit(one.get_attribute("src")).path.startswith("/")]
    browser.screenshot(f"redoc-{name}")
    browser.kept_to_itself(url)


def test_settings_arrive_as_they_were_given(browser: Browser, served: Served) -> None:
    """Which FastAPI's page writes as a script, and here a script reads from the page."""
    url = served("plain")
    browser.open(f"{url}/docs")
    browser.wait(lambda: shown(browser))
    configuration = "const {mine, displayOperationId, layout} = ui.getConfigs(); "
    assert browser.driver.execute_script(f"{configuration} return [displayOperationId, layout]") == [True, "BaseLayout"]
    values = browser.driver.execute_script(f"{configuration} return mine[arguments[0]].map(String)", AWKWARD)
    assert values == [AWKWARD, "null", "Infinity", "1.5"]
    name = "return ui.authSelectors.getConfigs().appName"
    assert browser.driver.execute_script(name) == AWKWARD
    browser.kept_to_itself(url)


def test_redoc_finds_what_is_searched_for(browser: Browser, served: Served) -> None:
    url = served("store")
    browser.open(f"{url}/redoc")
    browser.one('input[placeholder="Search..."]').send_keys("audit")
    browser.one('[data-role="search:results"] [role="menuitem"]', "audit")
    browser.kept_to_itself(url)


def test_an_operation_of_the_store_can_be_tried_out(browser: Browser, served: Served) -> None:
    url = served("store")
    browser.open(f"{url}/docs")
    answer = execute(browser, "GET", "/v1/search")
    assert answer.startswith("200")
    assert '"total"' in answer
    browser.screenshot("docs-try-it-out")
    browser.kept_to_itself(url)


def test_customers_of_the_store_log_in(browser: Browser, served: Served) -> None:
    url = served("store")
    browser.open(f"{url}/docs")
    browser.click(".btn.authorize")
    form = ".auth-container:has(#oauth_username)"
    browser.one(f"{form} #oauth_username").send_keys("den@buyers.example.com")
    browser.one(f"{form} #oauth_password").send_keys("brilliant-cut")
    browser.click(f"{form} .btn.authorize")
    browser.one(".modal-ux h6", "Authorized")
    browser.screenshot("docs-authorized")
    browser.click(".modal-ux .btn-done")
    assert '"email": "den@buyers.example.com"' in execute(browser, "GET", "/v1/customers/me")
    browser.kept_to_itself(url)


@pytest.mark.parametrize("name", GUARDED)
def test_a_password_authorizes(browser: Browser, served: Served, name: str) -> None:
    url = served(name) + PLACES[name]
    browser.open(f"{url}/docs")
    browser.click(".btn.authorize")
    form = ".auth-container:has(#oauth_username)"
    browser.one(f"{form} #oauth_username").send_keys("ann")
    browser.one(f"{form} #oauth_password").send_keys(PASSWORD)
    browser.click(f"{form} .btn.authorize")
    browser.one(".modal-ux h6", "Authorized")
    browser.click(".modal-ux .close-modal")
    assert '"token": "password of ann"' in execute(browser, "GET", "/by-password")
    browser.kept_to_itself(url)


@pytest.mark.parametrize("name", GUARDED)
def test_an_authorization_code_with_pkce_authorizes(browser: Browser, served: Served, name: str) -> None:
    url = served(name) + PLACES[name]
    browser.open(f"{url}/docs")
    browser.click(".btn.authorize")
    form = ".auth-container:has(.scopes)"
    browser.click(f"{form} .checkbox label")
    browser.click(f"{form} .btn.authorize")
    browser.wait(lambda: len(browser.driver.window_handles) == 1)
    browser.one(".modal-ux h6", "Authorized")
    browser.screenshot(f"docs-pkce-{name}")
    browser.click(".modal-ux .close-modal")
    assert '"token": "code"' in execute(browser, "GET", "/by-code")
    browser.kept_to_itself(url)
