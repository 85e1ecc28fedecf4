"""Sets of paths: what a path template matches, and whether others match all of it.

A template becomes a small nondeterministic automaton over characters. Whether every path of one template is matched by
at least one of some others is decided exactly, by following both at once through all characters that make a difference.
Paths with line breaks are left out: Starlette's convertors disagree about them, and nobody means them.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.routing import PARAM_REGEX

Chars = frozenset[str]
State = int

_OTHER = "\0"
"""Stands for each character that no template names and no convertor knows."""
_DIGITS = frozenset(string.digits)
_HEX = frozenset(string.hexdigits)
_NAMED = _DIGITS | _HEX | frozenset("/.-")


class Unknown(Exception):
    """A convertor of the user's: what it matches is not known."""


@dataclass
class Paths:
    """The automaton of one template.

    Attributes:
        steps: from a state by a class of characters to another state; None for all characters but `without`.
        silent: from a state to states that take no character.
        end: the state that accepts.
    """

    steps: dict[State, list[tuple[Callable[[str], bool], State]]] = field(default_factory=dict)
    silent: dict[State, list[State]] = field(default_factory=dict)
    letters: set[str] = field(default_factory=set)
    end: State = 0
    _names: count[int] = field(default_factory=lambda: count(1))

    def _step(self, takes: Callable[[str], bool], at: State, to: State | None = None) -> State:
        to = next(self._names) if to is None else to
        self.steps.setdefault(at, []).append((takes, to))
        return to

    def _text(self, text: str) -> None:
        for letter in text:
            self.letters.add(letter)
            self.end = self._step(lambda other, letter=letter: other == letter, self.end)  # type: ignore[misc]

    def _some(self, takes: Callable[[str], bool]) -> None:
        """One or more characters of a class."""
        self.end = self._step(takes, self.end)
        self._step(takes, self.end, self.end)

    def _any(self) -> None:
        """Any number of any characters."""
        self._skip_to(self.end)
        self._step(lambda _: True, self.end, self.end)

    def _skip_to(self, start: State) -> None:
        self.end = next(self._names)
        self.silent.setdefault(start, []).append(self.end)

    def _float(self) -> None:
        """Digits, and perhaps a point with more of them."""
        self._some(_DIGITS.__contains__)
        whole = self.end
        self.end = self._step(".".__eq__, whole)
        self._some(_DIGITS.__contains__)
        fraction = self.end
        self.end = next(self._names)
        self.silent.setdefault(whole, []).append(self.end)
        self.silent.setdefault(fraction, []).append(self.end)

    def _uuid(self) -> None:
        """Starlette's: 8, 4, 4, 4 and 12 hexadecimal digits, with or without each hyphen."""
        for position, length in enumerate((8, 4, 4, 4, 12)):
            if position:
                before = self.end
                self.end = self._step("-".__eq__, before)
                self.silent.setdefault(before, []).append(self.end)
            for _ in range(length):
                self.end = self._step(_HEX.__contains__, self.end)

    def _convertor(self, convertor: Convertor[object] | None) -> None:
        kinds: dict[type, Callable[[], None]] = {
            StringConvertor: lambda: self._some("/".__ne__),
            PathConvertor: self._any,
            IntegerConvertor: lambda: self._some(_DIGITS.__contains__),
            FloatConvertor: self._float,
            UUIDConvertor: self._uuid,
        }
        kinds[type(convertor)]()

    def after(self, states: Iterable[State], letter: str) -> frozenset[State]:
        """The states behind a character."""
        found = {to for state in states for takes, to in self.steps.get(state, ()) if takes(letter)}
        return self.closed(found)

    def closed(self, states: Iterable[State]) -> frozenset[State]:
        """The states that are reached without a character, too."""
        found, pending = set(states), list(states)
        while pending:
            for to in self.silent.get(pending.pop(), ()):
                if to not in found:
                    found.add(to)
                    pending.append(to)
        return frozenset(found)


_KNOWN = (StringConvertor, PathConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)


def paths_of(template: str, convertors: dict[str, Convertor[object]], *, at_most: bool = False) -> Paths:
    """The paths that a template matches.

    Parameters:
        template: with its parameters, ``"/items/{item:int}"``.
        convertors: of its parameters.
        at_most: take a convertor of the user's for one that matches everything, instead of raising.

    Raises:
        Unknown: when there is such a convertor.
    """
    paths = Paths()
    position = 0
    for found in PARAM_REGEX.finditer(template):
        paths._text(template[position : found.start()])
        position = found.end()
        convertor = convertors.get(found.group(1))
        if type(convertor) in _KNOWN:
            paths._convertor(convertor)
        elif at_most:
            paths._any()
        else:
            raise Unknown(template)
    paths._text(template[position:])
    return paths


def are_covered(paths: Paths, others: list[Paths]) -> bool:
    """Whether each path of `paths` is one of the others', too."""
    letters = _NAMED.union(paths.letters, *(other.letters for other in others)) | {_OTHER}
    # Of the others those are kept that may still match: their numbers and states.
    start = (paths.closed([0]), tuple((number, other.closed([0])) for number, other in enumerate(others)))
    seen, pending = {start}, [start]
    while pending:
        own, theirs = pending.pop()
        if paths.end in own and not any(others[number].end in states for number, states in theirs):
            return False
        for letter in letters:
            following = paths.after(own, letter)
            if not following:
                continue
            left = ((number, others[number].after(states, letter)) for number, states in theirs)
            pair = (following, tuple((number, states) for number, states in left if states))
            if pair not in seen:
                seen.add(pair)
                pending.append(pair)
    return True
