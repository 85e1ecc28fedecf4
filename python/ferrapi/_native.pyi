"""The compiled half of ferrapi (crate `rust/src`). Not a public interface; checked against the binary by stubtest.

A `scope` is typed as Starlette types it; ASGI says that it is a `dict`, and nothing else is taken.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any, final

from ._plan import GroupPlan, RoutePlan

__all__ = [
    "LimitExceeded",
    "PlanError",
    "Reader",
    "RouteTable",
    "encode_json",
    "is_json_content_type",
    "parse_cookies",
    "parse_query",
    "response_head_problem",
]

class PlanError(Exception):
    """A plan that Python handed over doesn't make sense."""

class LimitExceeded(Exception):
    """A request carries more parameters than ferrapi reads."""

@final
class RouteTable:
    """The routes of a router, indexed by path."""

    def __new__(cls, plans: Iterable[RoutePlan]) -> RouteTable: ...
    def find(self, scope: MutableMapping[str, Any]) -> tuple[Any, bool] | None:
        """Find the route that answers `scope` and add to the scope what a match adds.

        Returns the route's target and whether the match is full (else the method is not one of its own), or None.
        """

@final
class Reader:
    """The parameters of a route's callables, in the order in which these run."""

    def __new__(cls, plans: Iterable[GroupPlan | None]) -> Reader: ...
    def read(self, scope: MutableMapping[str, Any]) -> list[dict[str, Any] | None] | None:
        """Read the parameters from `scope`.

        Returns a list with the keyword arguments of each callable (None for one that the plan leaves out), or None if
        any parameter is missing or invalid. Raises `LimitExceeded`.
        """

def encode_json(value: object) -> bytes | None:
    """The JSON text of `value`, or None if it isn't made of plain values."""

def response_head_problem(status: object, headers: list[tuple[bytes, bytes]]) -> str | None:
    """What is wrong with a status and raw headers; None if HTTP can carry them."""

def is_json_content_type(content_type: bytes) -> bool:
    """Whether a `Content-Type` value means JSON: `application/json` or `application/*+json`."""

def parse_cookies(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The cookies in ASGI headers; the last of several equal names counts. Raises `LimitExceeded`."""

def parse_query(query: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, decoded, in order. Raises `LimitExceeded`."""
