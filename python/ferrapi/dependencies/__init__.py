"""The names of `fastapi.dependencies`. The work is done in `ferrapi.declare`, `ferrapi.compile` and `ferrapi.serve`."""

from typing import TYPE_CHECKING

from .._names import names_of

if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
