"""The code blocks of a page of documentation, and how each kind of them is checked.

| block | what is done with it |
| --- | --- |
| `python` | runs in one module with those above it on the page; with a `title` it is also a file that can be imported |
| `python` with `>>>` | runs as a doctest in that module |
| `console` | what follows `$` runs in a shell and must print what stands below; `ADDRESS` is where `app` is served |
| `bash` | its syntax and the options of its commands are checked |
| `json`, `toml`, `yaml` | is parsed |
| `text` and other data | nothing |

A comment in front of a block changes that: `<!-- own process -->` runs it in an interpreter of its own, and
`<!-- not run: why -->` leaves it out. In expected output `…` stands for anything.
"""

import doctest
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from .commands import check_script
from .serving import Served

ADDRESS = "http://127.0.0.1:8000"
FENCE = re.compile(
    r"^(?:(?P<comment><!--[^\n]*-->)\n)?(?P<indent> *)```(?P<language>[\w+-]*)(?P<rest>[^\n`]*)\n"
    r"(?P<content>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
TITLE = re.compile(r'title="([^"]+)"')
NOT_RUN = re.compile(r"<!-- not run: .{3,} -->")
DATA = {"text", "ini", "nginx", "dockerfile", "javascript", "typescript", "html", "http", "rust", "diff", "mermaid"}


class BlockError(AssertionError):
    """A block does not do what the page says."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Parameters:
        language: the first word of its fence.
        title: the name of the file that it is, or an empty text.
        content: its text, without the indentation of the fence.
        line: the page's line at which the content begins.
        comment: the comment in front of it, or an empty text.
    """

    language: str
    title: str
    content: str
    line: int
    comment: str = ""


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page in their order."""
    for found in FENCE.finditer(text):
        title = TITLE.search(found["rest"])
        line = text.count("\n", 0, found.start("content")) + 1
        content = dedent(found["content"])
        yield Block(found["language"], title[1] if title else "", content, line, found["comment"] or "")


class Page:
    """A page whose blocks are being checked, one after the other.

    Parameters:
        path: the page.
        folder: an empty folder in which its blocks run.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        self.module = ModuleType("page")
        self.served = Served()
        self.kinds: dict[str, Callable[[Block], object]] = {
            "python": self._python,
            "console": self._console,
            "bash": lambda block: check_script(block.content),
            "json": lambda block: json.loads(block.content),
            "toml": lambda block: tomllib.loads(block.content),
            "yaml": self._yaml,
        }

    def check(self) -> None:
        """Check every block. Raises what goes wrong, with the block's line as a note."""
        for block in blocks(self.path.read_text(encoding="utf-8")):
            try:
                self._check(block)
            except BaseException as error:
                error.add_note(f"in the block at {self.path}:{block.line}")
                raise

    def _check(self, block: Block) -> None:
        if NOT_RUN.fullmatch(block.comment):
            return
        if block.language not in self.kinds:
            if block.language not in DATA:
                raise BlockError(f"nothing checks blocks of {block.language or 'no language'!r}")
            return
        self.kinds[block.language](block)

    def _python(self, block: Block) -> None:
        self.served.stop()
        if block.title:
            file = self.folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.content, encoding="utf-8")
        place = "\n" * (block.line - 1)
        if "own process" in block.comment:
            command = [sys.executable, "-W", "error", "-c", block.content]
            subprocess.run(command, check=True, cwd=self.folder)
        elif block.content.startswith(">>> "):
            test = doctest.DocTestParser().get_doctest(block.content, vars(self.module), "page", str(self.path), 0)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            if runner.run(test, clear_globs=False).failed:
                raise BlockError("the output differs")
        else:
            code = compile(place + block.content, str(self.path), "exec", dont_inherit=True)
            exec(code, vars(self.module))

    def _console(self, block: Block) -> None:
        address = self.served.address(getattr(self.module, "app", None)) if ADDRESS in block.content else ADDRESS
        for command, expected in commands(block.content):
            script = command.replace(ADDRESS, address)
            ran = subprocess.run(["bash", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=60)
            printed = (ran.stdout or ran.stderr).replace("\r", "").replace(address, ADDRESS)
            if not agrees(expected, printed):
                raise BlockError(f"$ {command}\n{printed}\nand not\n{expected}")

    def _yaml(self, block: Block) -> None:
        try:
            import yaml  # type: ignore[import-untyped, unused-ignore]  # there where something else brings it
        except ImportError:
            return
        list(yaml.safe_load_all(block.content))


def commands(content: str) -> Iterator[tuple[str, str]]:
    """The commands of a `console` block, each with the output that is shown."""
    parts = re.split(r"^\$ ", content, flags=re.MULTILINE)
    for part in parts[1:]:
        lines = part.split("\n")
        last = next((place for place, line in enumerate(lines) if not line.endswith("\\")), 0)
        yield "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])


def agrees(expected: str, printed: str) -> bool:
    """Whether output is as shown: `…` stands for anything, a line of its own for any lines. Nothing shown: anything."""
    wanted, got = ([line.rstrip() for line in text.strip().split("\n")] for text in (expected, printed))
    pattern = "\n".join(".*" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in wanted)
    return not expected.strip() or re.fullmatch(pattern, "\n".join(got), re.DOTALL) is not None


def run_page(path: Path, folder: Path) -> None:
    """Check a page with what it defines importable as the module `page`, and put everything back behind it."""
    page, before = Page(path, folder), dict(sys.modules)
    sys.modules["page"] = page.module
    sys.path.insert(0, str(folder))
    try:
        page.check()
    finally:
        page.served.stop()
        sys.path.remove(str(folder))
        for name in sys.modules.keys() - before.keys():
            module: Any = sys.modules[name]
            if name == "page" or str(getattr(module, "__file__", "") or "").startswith(str(folder)):
                del sys.modules[name]
