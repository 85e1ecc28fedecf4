"""Reads the store's README: its shell commands, each with the answer that it shows."""

import json
import re
from dataclasses import dataclass
from typing import Any

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASSIGNMENT = re.compile(r"^([A-Z]+)=")
ANYTHING = "…"
# What differs from run to run; the README shows an example.
VARYING = {
    "access_token",
    "at",
    "cancel",
    "counted_at",
    "created_at",
    "id",
    "placed_at",
    "refresh_token",
    "self",
    "subject",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One ``bash`` block and the block that follows it."""

    shell: str
    expected: str | None
    is_json: bool

    @property
    def variable(self) -> str | None:
        """The shell variable that the command sets, if that's what it does."""
        found = ASSIGNMENT.match(self.shell)
        return found[1] if found else None


def commands(readme: str) -> list[Command]:
    """Returns the README's commands in their order."""
    blocks = [(language, content) for language, content in BLOCK.findall(readme)]
    found = []
    for position, (language, content) in enumerate(blocks):
        if language != "bash":
            continue
        following = blocks[position + 1] if position + 1 < len(blocks) else ("bash", "")
        expected = following[1] if following[0] != "bash" else None
        found.append(Command(content.strip(), expected, following[0] == "json"))
    return found


def agrees(shown: Any, got: Any) -> bool:
    """Says whether an answer is the one shown, but for what varies and for what ``…`` stands for."""
    if isinstance(shown, str) and shown.endswith(ANYTHING):
        return shown == ANYTHING or str(got).startswith(shown.removesuffix(ANYTHING))
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(key in VARYING or agrees(shown[key], got[key]) for key in shown)
    if isinstance(shown, list) and isinstance(got, list):
        if shown[-1:] == [ANYTHING]:
            shown, got = shown[:-1], got[: len(shown) - 1]
        return len(shown) == len(got) and all(map(agrees, shown, got))
    return bool(shown == got)


def answers_as_shown(command: Command, output: str) -> bool:
    """Compares what a command printed with what the README shows."""
    if command.expected is None:
        return True
    if command.is_json:
        return agrees(json.loads(command.expected), json.loads(output))
    return sorted(command.expected.split("\n")) == sorted(output.replace("\r", "").split("\n"))
