"""Commands that pages tell readers to type, and that no test should run: their syntax and options are checked."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEPARATORS = {"&&", "||", "|", ";", "&"}
ASSIGNMENT = re.compile(r"^\w+=")


class CommandError(AssertionError):
    """A page has a command that can't work."""


def check_script(script: str) -> None:
    """Check a `bash` block. Raises `CommandError`, or `subprocess.CalledProcessError` for its syntax."""
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for words in _commands(script):
        check = CHECKS.get(words[0].rpartition("/")[2])
        if check is not None:
            check(words)


def _commands(script: str) -> list[list[str]]:
    found = []
    for line in script.replace("\\\n", " ").split("\n"):
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), ";"]:
            if word not in SEPARATORS:
                words.append(word)
                continue
            while words and (ASSIGNMENT.match(words[0]) or words[0] in ("export", "exec", "sudo", "nohup")):
                del words[0]
            if words:
                found.append(words)
            words = []
    return found


def _make(words: list[str]) -> None:
    targets = re.findall(r"^([\w-]+)(?: [\w-]+)*:(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in words[1:]:
        if not ASSIGNMENT.match(word) and word not in targets:
            raise CommandError(f"make has no target {word}")


def _pip(words: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extras in re.findall(r"ferrapi\[([^\]]+)\]", " ".join(words)):
        unknown = set(extras.split(",")) - project["optional-dependencies"].keys()
        if unknown:
            raise CommandError(f"there is no extra {unknown}")


def _options(words: list[str], known: str) -> None:
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("-") and not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known):
            raise CommandError(f"{words[0]} has no option {option}")


def _ferrapi(words: list[str]) -> None:
    import contextlib
    import io

    from ferrapi.cli import execute

    shown = io.StringIO()
    subcommand = [word for word in words[1:2] if not word.startswith("-")]
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        execute([*subcommand, "--help"])
    if subcommand and f"ferrapi {subcommand[0]}" not in shown.getvalue():
        raise CommandError(f"ferrapi has no command {subcommand[0]}")
    _options(words, shown.getvalue())


def _uvicorn(words: list[str]) -> None:
    from uvicorn.main import main

    _options(words, " ".join(option for one in main.params for option in (*one.opts, *one.secondary_opts)))


CHECKS: dict[str, Callable[[list[str]], None]] = {"make": _make, "pip": _pip, "ferrapi": _ferrapi, "uvicorn": _uvicorn}
