"""The documents of random applications are FastAPI's, key by key, and so are the errors of registering them."""

from typing import Any

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


@given(sources())
@examples(30)
def test_a_random_application_is_described_and_refused_alike(written: dict[str, str]) -> None:
    ours: Any = outcome(written, "ferrapi")
    for _ in range(ATTEMPTS):
        expected = outcome(written, "fastapi")
        if ours.agrees_with(expected):
            return
    assert ours.document == expected.document
    assert ours.errors == expected.errors
