"""Every code block of the documentation and of the README does what the page says."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .blocks import BlockError, agrees, blocks, commands, run_page
from .commands import CommandError, check_script

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

NOT_EVERYWHERE = {"opentelemetry"}
"""Packages of requirements-dev.txt that pages use and that are no part of `ferrapi[standard]`."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> Iterator[None]:
    """Pages run in an empty folder, with an environment that they may change."""
    before, environment = Path.cwd(), dict(os.environ)
    os.chdir(tmp_path)
    yield
    os.chdir(before)
    os.environ.clear()
    os.environ.update(environment)


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl"))), reason="pages have commands for bash and curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_holds(page: Path, tmp_path: Path) -> None:
    try:
        run_page(page, tmp_path)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NOT_EVERYWHERE:
            raise
        pytest.skip(f"{error.name} is not installed")


def test_the_ten_lines_are_the_example() -> None:
    first = next(blocks((ROOT / "README.md").read_text(encoding="utf-8").partition("## Ten lines")[2]))
    assert (ROOT / "examples" / "hello" / "main.py").read_text(encoding="utf-8").endswith(f"\n{first.content}")


def _page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nassert False\n```", AssertionError),
        ("```python\nx = 1\n```\n\n```python\nassert x == 2\n```", AssertionError),
        ("```python\n>>> 1 + 1\n3\n```", BlockError),
        ("```console\n$ echo a\nb\n```", BlockError),
        ("```console\n$ curl http://127.0.0.1:8000\n```", LookupError),
        ("```python\napp = 1\n```\n```nonsense\n```", BlockError),
        ("```\nx\n```", BlockError),
        ("```json\n{\n```", ValueError),
        ("```bash\nferrapi run --no-such-option\n```", CommandError),
        ("```bash\nferrapi no-such-command\n```", CommandError),
        ("```bash\nA=b uvicorn main:app --no-such-option x\n```", CommandError),
        ("```bash\npip install 'ferrapi[no-such-extra]'\n```", CommandError),
        ("```bash\nmake no-such-target\n```", CommandError),
    ],
)
def test_a_block_that_does_not_hold_is_noticed(text: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        run_page(_page(tmp_path, text), tmp_path)


def test_blocks_that_are_left_out_say_why(tmp_path: Path) -> None:
    run_page(_page(tmp_path, "<!-- not run: needs a database -->\n```python\nassert False\n```"), tmp_path)
    with pytest.raises(AssertionError):
        run_page(_page(tmp_path, "<!-- not run: -->\n```python\nassert False\n```"), tmp_path)


def test_files_of_a_page_can_be_imported_and_are_forgotten_behind_it(tmp_path: Path) -> None:
    for value in (1, 2):
        file = f'```python title="part/one.py"\nvalue = {value}\n```'
        text = f"{file}\n```python\nfrom part.one import value as found\nassert found == {value}\n```"
        folder = tmp_path / str(value)
        folder.mkdir()
        run_page(_page(folder, text), folder)


def test_an_application_of_a_page_is_asked_over_the_network(tmp_path: Path) -> None:
    text = """
```python
from ferrapi import FastAPI
app = FastAPI()
@app.get("/")
def read() -> dict[str, int]:
    return {"a": 1}
```

```console
$ curl -s http://127.0.0.1:8000/
{"a":1}
$ curl -s -i \\
    http://127.0.0.1:8000/none
HTTP/1.1 404 Not Found
…
{"detail":"Not Found"}
```
"""
    run_page(_page(tmp_path, text), tmp_path)


def test_indented_blocks_are_blocks() -> None:
    (block,) = blocks('1. First\n\n    ```python title="a.py"\n    x = 1\n        # deeper\n    ```\n')
    assert (block.title, block.content, block.line) == ("a.py", "x = 1\n    # deeper\n", 4)


def test_commands_may_go_on_over_lines() -> None:
    assert list(commands("$ a \\\n  b\nout\n\n$ c\n")) == [("a \\\n  b", "out\n\n"), ("c", "")]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a…c", "abc", True),
        ("a…c", "ab\nc", False),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("", "x", True),
        ("a", "b", False),
    ],
)
def test_an_ellipsis_is_anything(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_scripts_are_understood_as_a_shell_does() -> None:
    check_script("export A=b && ferrapi run main.py --port 80 &\nuvicorn main:app \\\n  --port 1 # comment --none")
    with pytest.raises(CommandError):
        check_script("true | uvicorn main:app --none")
