"""Each edit of a route or a router has the effect that it has in FastAPI, whenever and wherever it is made.

`docs/internals/live-edits.md` is the table of them.
"""

from __future__ import annotations

import pytest
from support.compare import _neutral
from support.frameworks import BOTH

from . import edit_matrix as matrix

pytestmark = pytest.mark.usefixtures("quiet")


def same(edit: matrix.Edit, kind: str, shape: str, time: str, target: str = "route") -> None:
    """Assert that an edit has the same effects in both packages."""
    expected, actual = (_neutral(matrix.transcript(fw, edit, kind, shape, time, target)) for fw in BOTH)
    assert actual == expected


@pytest.mark.parametrize("shape", matrix.SHAPES)
@pytest.mark.parametrize("edit", matrix.EDITS)
def test_an_edit_of_a_route(edit: str, shape: str) -> None:
    for time in matrix.TIMES:
        same(matrix.EDITS[edit], "http", shape, time)


@pytest.mark.parametrize("shape", matrix.SHAPES)
@pytest.mark.parametrize("edit", matrix.FORM_EDITS)
def test_an_edit_of_a_route_with_a_form(edit: str, shape: str) -> None:
    for time in matrix.TIMES:
        same(matrix.FORM_EDITS[edit], "form", shape, time)


@pytest.mark.parametrize("shape", matrix.SHAPES)
@pytest.mark.parametrize("edit", matrix.STREAM_EDITS)
def test_an_edit_of_a_route_that_streams(edit: str, shape: str) -> None:
    for time in matrix.TIMES:
        same(matrix.STREAM_EDITS[edit], "stream", shape, time)


@pytest.mark.parametrize("shape", matrix.SHAPES)
@pytest.mark.parametrize("edit", matrix.SOCKET_EDITS)
def test_an_edit_of_a_websocket_route(edit: str, shape: str) -> None:
    for time in matrix.TIMES:
        same(matrix.SOCKET_EDITS[edit], "websocket", shape, time)


@pytest.mark.parametrize(
    ("edit", "target"),
    [
        (edit, target)
        for edit in matrix.ROUTER_EDITS
        for target in ("router", "includer", "context")
        if (edit, target) != ("max_body_size", "includer")  # live here, fixed there
    ],
)
def test_an_edit_of_a_router_that_is_included(edit: str, target: str) -> None:
    for shape in matrix.SHAPES[1:]:
        for time in matrix.TIMES[1:]:
            same(matrix.ROUTER_EDITS[edit], "http", shape, time, target)
