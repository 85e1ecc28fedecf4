"""What pages say of where things are: files, and functions in them, are there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "STYLE.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = ("python", "rust", "tests", "scripts", "benchmarks", "examples", "deploy", "docs", ".github")
OF_A_READER = {"app/main.py", "app/app.py", "app/api.py", "shop/main.py"}
"""Files of a project of the reader's."""
_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|rs))(?:::(\w+)(?:::(\w+))?)?`")


@cache
def _files() -> list[str]:
    found = (path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".rs"))
    return [f"/{path.relative_to(ROOT)}" for path in found]


def _untrue(text: str) -> Iterator[str]:
    for match in _FILE.finditer(text):
        file, *names = match.groups()
        if file in OF_A_READER:
            continue
        meant = [ROOT / path[1:] for path in _files() if path.endswith(f"/{file}")]
        if not meant:
            yield file
        yield from (
            f"{file}: {name}"
            for name in names
            if name and meant and not any(re.search(rf"(def|class) {name}\b", one.read_text()) for one in meant)
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    assert list(_untrue(page.read_text())) == []


def test_what_is_not_there_is_noticed() -> None:
    text = "`openapi/nowhere.py`, `tests/documentation/test_places.py::test_nothing`, `documentation/test_places.py`"
    assert list(_untrue(text)) == ["openapi/nowhere.py", "tests/documentation/test_places.py: test_nothing"]
