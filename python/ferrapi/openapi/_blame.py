"""Which route, parameter, file and line an error is about that came while a document was made.

The error stays what it is, as in FastAPI; it gets a note (PEP 678), which tracebacks show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ._operation import Described
from ._schemas import generate_schemas

if TYPE_CHECKING:
    from ..declare.fields import ModelField


def blame_field(error: Exception, routes: Sequence[Described], *, separate: bool) -> None:
    """Note in `error` whose schema can't be made.

    Parameters:
        error: what pydantic raised for all fields together.
        routes: the routes of the document.
        separate: whether a model may have two schemas.
    """
    for one in routes:
        for name, declared in _declared(one):
            try:
                generate_schemas([declared], separate=separate)
            except Exception as again:
                if type(again) is type(error):
                    error.add_note(f"{name} of {place_of(one)}")
                    return


def blame_route(error: Exception, one: Described) -> None:
    """Note in `error` which route can't be described."""
    error.add_note(f"In the document of {place_of(one)}")


def place_of(one: Described) -> str:
    """A route, its endpoint, and where that is defined."""
    from ..serve.respond import locate

    place = locate(one.route.endpoint)
    where = f", {place['file']}:{place['line']}" if "file" in place and "line" in place else ""
    function = place.get("function", one.route.name)
    return f"{' '.join(sorted(one.route.methods or ()))} {one.route.path_format} ({function}{where})"


def _declared(one: Described) -> Iterator[tuple[str, ModelField]]:
    """What each field of a route is called, and the field."""
    from ..declare.body import flat_body_params

    if not one.route.include_in_schema:
        return
    for parameter in one.parameters:
        yield f"The {parameter.location} parameter {parameter.name!r}", parameter.declared
    for declared in flat_body_params(one.route.dependant):
        yield f"The body parameter {declared.name!r}", declared
    if one.route.response_field is not None:
        yield "The response model", one.route.response_field
    for code, declared in one.route.response_fields.items():
        yield f"The response model for {code}", declared
    if one.route.stream_item_field is not None:
        yield "What is streamed", one.route.stream_item_field
    for callback in one.callbacks:
        yield from _declared(callback)
