"""The documents of random applications are FastAPI's, key by key, and so are the errors of registering them."""

import os
import random
from typing import Any

import pytest
from differential.common import examples
from hypothesis import given
from hypothesis import strategies as st

from ._building import outcome
from ._random_applications import write_application

ATTEMPTS = 4
"""How often FastAPI is asked: it gives pydantic the inner models in the order of a set, which names may depend on."""


class _Drawing:
    """Hypothesis as a `Chooser`."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, limit: int) -> int:
        return self._draw(st.integers(0, limit - 1))


@st.composite
def sources(draw: st.DrawFn) -> dict[str, str]:
    return write_application(_Drawing(draw))


class _Seeded:
    """A generator of random numbers as a `Chooser`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


SEEDS = (201222, 301251, 301716, 500472, 602003, 621919)
"""Applications with recursive models about which something is said, optional models in a path, models of forms."""
FIRST, LAST = map(int, os.environ.get("FERRAPI_DOCUMENTS", "0:0").split(":"))
"""More seeds: ``FERRAPI_DOCUMENTS=0:20000`` asks about so many applications, which takes hours."""


def agree(written: dict[str, str]) -> None:
    """Assert that both packages describe the application, or refuse its parts, alike."""
    ours: Any = outcome(written, "ferrapi")
    for _ in range(ATTEMPTS):
        expected = outcome(written, "fastapi")
        if ours.agrees_with(expected):
            return
    assert ours.document == expected.document
    assert ours.errors == expected.errors


@given(sources())
@examples(30)
def test_a_random_application_is_described_and_refused_alike(written: dict[str, str]) -> None:
    agree(written)


@pytest.mark.parametrize("seed", [*SEEDS, *range(FIRST, LAST)])
def test_the_application_of_a_seed_is_described_and_refused_alike(seed: int) -> None:
    agree(write_application(_Seeded(seed)))
