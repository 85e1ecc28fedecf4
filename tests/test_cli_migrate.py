"""``ferrapi migrate``: which imports it changes, what it leaves, and that nothing else of a file changes."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ferrapi.cli import execute
from support.commands import empty_project, write

pytest.importorskip("libcst", reason="ferrapi[migrate]")
from ferrapi.cli._imports import change_imports


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with empty_project(tmp_path, monkeypatch) as folder:
        yield folder


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from fastapi import FastAPI", "from ferrapi import FastAPI"),
        ("from fastapi import (\n    FastAPI,  # fastapi\n    Depends as D,\n)", None),
        ("from fastapi.security.oauth2 import OAuth2", "from ferrapi.security.oauth2 import OAuth2"),
        ("from fastapi import routing, status", "from ferrapi import routing, status"),
        ("from fastapi import *", "from ferrapi import *"),
        ("import fastapi as fa\nfa.FastAPI()", "import ferrapi as fa\nfa.FastAPI()"),
        ("import os, fastapi.responses as r, sys", "import os, ferrapi.responses as r, sys"),
        ("import fastapi\nfastapi.FastAPI()", "import ferrapi\nferrapi.FastAPI()"),
        (
            "import fastapi.responses\nx: fastapi.responses.Response = f(fastapi=fastapi.status)",
            "import ferrapi.responses\nx: ferrapi.responses.Response = f(fastapi=ferrapi.status)",
        ),
        (
            "import fastapi\ndef f(x):\n    return x.fastapi, fastapi.Query(), lambda fastapi: fastapi.no",
            "import ferrapi as fastapi\ndef f(x):\n    return x.fastapi, fastapi.Query(), lambda fastapi: fastapi.no",
        ),
        ("def f():\n\timport fastapi\n\treturn fastapi", "def f():\n\timport ferrapi\n\treturn ferrapi"),
        (
            "try:\n    import fastapi\nexcept ImportError:\n    fastapi = None",
            "try:\n    import ferrapi as fastapi\nexcept ImportError:\n    fastapi = None",
        ),
        ("import fastapi\nferrapi = 1\nfastapi.Query()", "import ferrapi as fastapi\nferrapi = 1\nfastapi.Query()"),
        (
            "if TYPE_CHECKING:\n    from fastapi import Request; x = 1",
            "if TYPE_CHECKING:\n    from ferrapi import Request; x = 1",
        ),
        ("from .fastapi import x\nfrom a.fastapi import y\nimport a.fastapi", "="),
        ("# fastapi\nfastapi = 1\nfastapi.x", "="),
        (
            "x = 'no fastapi'\r\nfrom fastapi import FastAPI\r\n",
            "x = 'no fastapi'\r\nfrom ferrapi import FastAPI\r\n",
        ),
    ],
)
def test_changes_imports_and_nothing_else(before: str, after: str | None) -> None:
    expected = before if after == "=" else before.replace("from fastapi", "from ferrapi") if after is None else after
    changed = change_imports(before.encode())
    assert changed.content.decode() == expected
    assert changed.left == []
    again = change_imports(changed.content)
    assert (again.content, again.imports) == (changed.content, 0)


def test_keeps_the_encoding() -> None:
    before = "# -*- coding: latin-1 -*-\nx = 'ä'\nfrom fastapi import Query\n".encode("latin-1")
    assert change_imports(before).content == before.replace(b"fastapi", b"ferrapi")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("\nfrom fastapi import surely_nothing", 2, "from fastapi import surely_nothing: ferrapi has no such thing"),
        ("from fastapi.nowhere import x, y", 1, "from fastapi.nowhere import x, y"),
        ("import fastapi.nowhere", 1, "import fastapi.nowhere: ferrapi has no such module"),
        ("patch('fastapi.routing.run_endpoint_function')", 1, "is it 'ferrapi.routing.run_endpoint_function' now?"),
        ("x = 1\ny: 'fastapi.Request'", 2, "is it 'ferrapi.Request' now?"),
        ("logging.getLogger('fastapi')", 1, "is it 'ferrapi' now?"),
        ("from fastapi_users import FastAPIUsers\nimport fastapi_users.db", 1, "`import ferrapi.as_fastapi` before it"),
        ("import fastapi.routing\nfastapi = 1", 1, "the name fastapi means something else in this file too"),
    ],
)
def test_reports_what_it_leaves(content: str, line: int, words: str) -> None:
    changed = change_imports(content.encode())
    assert changed.content == content.encode()
    [left] = changed.left
    assert (left.line, words in left.message) == (line, True)


_FILES = {
    "shop/main.py": "from fastapi import FastAPI\nimport fastapi_shop\napp = FastAPI()\n",
    "shop/other.py": "import os\n",
    "shop/broken.py": "import fastapi (\n",
    "fastapi_shop/__init__.py": "",
    "venv/lib/x.py": "import fastapi\n",
    ".hidden/x.py": "import fastapi\n",
    "pyproject.toml": '[project]\ndependencies = [\n  "fastapi>=0.100",\n  "fastapi-users",\n]\n[tool.fastapi]\n',
    "requirements.txt": "fastapi[standard]==0.165.0\nstarlette\nfastapi-users\n",
}


def test_check_changes_nothing_and_says_so_by_its_status(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(_FILES)
    assert execute(["migrate", "--check", "--diff"]) == 1
    said = capsys.readouterr().out
    assert Path("shop/main.py").read_text() == _FILES["shop/main.py"]
    assert "-from fastapi import FastAPI\n+from ferrapi import FastAPI\n" in said
    assert said.splitlines()[-1] == "1 import in 1 file would change, 3 places left for you"
    left = [line.partition(": left")[0] for line in said.splitlines() if ": left" in line]
    assert left == ["pyproject.toml:3", "requirements.txt:1", f"shop{os.sep}broken.py"]


def test_changes_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(_FILES)
    assert execute(["migrate", "shop", "fastapi_shop"]) == 0
    assert Path("shop/main.py").read_text() == _FILES["shop/main.py"].replace("from fastapi", "from ferrapi")
    assert Path("venv/lib/x.py").read_text() == "import fastapi\n"
    assert execute(["migrate", "shop", "fastapi_shop", "--check"]) == 0
    assert execute(["migrate", "absent"]) == 2
    assert "Path does not exist absent" in capsys.readouterr().out


def test_a_project_of_some_size_runs_on_ferrapi_afterwards(project: Path) -> None:
    """The bigger example, moved to FastAPI by its imports and back by the command, is what it was."""
    examples = Path(__file__).parents[1] / "examples" / "bigger_application"
    originals = {file.relative_to(examples): file.read_text() for file in examples.rglob("*.py")}
    write({str(name): text.replace("ferrapi", "fastapi") for name, text in originals.items()})
    assert execute(["migrate"]) == 0
    for name, text in originals.items():
        assert ast.dump(ast.parse(name.read_text())) == ast.dump(ast.parse(text)), name
