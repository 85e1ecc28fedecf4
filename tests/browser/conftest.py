"""A headless Chromium, and what it did: `make browser` installs it and runs these tests, others skip them."""

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from example_server import ROOT, Server, transport_arguments  # needs the path

SCREENSHOTS = Path(os.environ.get("FERRAPI_SCREENSHOTS", ROOT / ".cache" / "browser"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser:
    """A driver that knows what its page asked for and what the console said.

    Parameters:
        driver: Selenium's.
    """

    def __init__(self, driver: Any) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.driver = driver
        self.asked: list[str] = []
        self.said: list[str] = []
        self._wait = WebDriverWait(driver, 20)  # a guard; nothing that is tested takes seconds

    def open(self, url: str) -> None:
        """Go to a page, with nothing remembered of the ones before."""
        self.driver.get("about:blank")
        self.notice()
        self.asked, self.said = [], []
        self.driver.get(url)

    def all(self, selector: str) -> list[Any]:
        """The elements that a CSS selector finds now."""
        from selenium.webdriver.common.by import By

        found: list[Any] = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

    def one(self, selector: str, text: str = "") -> Any:
        """The first visible element that a CSS selector finds and that holds `text`, as soon as there is one."""
        from selenium.common.exceptions import StaleElementReferenceException

        def found(_: Any) -> Any:
            try:
                return next((one for one in self.all(selector) if one.is_displayed() and text in one.text), None)
            except StaleElementReferenceException:
                return None

        return self._wait.until(found, f"no {selector} with {text!r}")

    def click(self, selector: str, text: str = "") -> None:
        """Click on that element."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.one(selector, text))
        self.one(selector, text).click()

    def wait(self, what: Any) -> Any:
        """Until `what()` is true; returns that."""
        return self._wait.until(lambda _: what())

    def notice(self) -> None:
        """Take over what has been asked for and said since the last time."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        for entry in self.driver.get_log("browser"):
            if entry["level"] not in ("DEBUG", "INFO"):  # advice on the page's form is no complaint
                self.said.append(f"{entry['level']}: {entry['message']}")

    def kept_to_itself(self, url: str) -> None:
        """Fails if the page has asked another host for something, or the console has complained."""
        self.notice()
        assert [one for one in self.asked if urlsplit(one).netloc != urlsplit(url).netloc] == []
        assert self.said == []

    def screenshot(self, name: str) -> None:
        """Keep what is to be seen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests. They are skipped where there is none, unless the environment says that it is required."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    chromedriver = shutil.which("chromedriver")
    if importlib.util.find_spec("selenium") is None or binary is None or chromedriver is None:
        missing = "there is no Selenium or no Chromium with its driver: `make browser` installs them"
        (pytest.fail if "FERRAPI_BROWSER" in os.environ else pytest.skip)(missing)
    from selenium import webdriver as selenium

    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "window-size=1300,1600"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(executable_path=chromedriver))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The address of one of `applications`, which is served from its first use to the end."""
    servers: dict[str, Server] = {}
    database = tmp_path_factory.mktemp("store") / "store.sqlite3"
    environment = {
        "STORE_DATABASE_URL": f"sqlite:///{database}",
        "STORE_TOKEN_SECRET": "not much of a secret, but long enough",
    }

    def url(name: str) -> str:
        if name not in servers:
            arguments = transport_arguments("http1")
            servers[name] = Server(f"tests.browser.applications:{name}", environment, arguments).__enter__()
        return servers[name].url

    yield url
    for server in servers.values():
        server.__exit__(None, None, None)
