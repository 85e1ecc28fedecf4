"""The versions of routes that were declared, found and checked when they come to an application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.routing import BaseRoute

from ..declare.versions import VersionSet, both
from ..exceptions import VersioningError
from ._contexts import IncludedRouter, Placed


def versions_of(placed: Placed) -> VersionSet | None:
    """The versions that have a route at its place; None for a route without versions."""
    if isinstance(placed.original, IncludedRouter):  # one that wants to be asked itself
        return placed.original.include_context.versions
    own: VersionSet | None = getattr(placed.original, "versions", None)
    return own if placed.context is None else both(placed.context.versions, own)


def declared_versions(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, VersionSet]]:
    """What each route and each include with versions is called, and its versions. Included routers are looked into.

    Raises:
        VersioningError: for a route that can't have any.
    """
    pending = [(route, False) for route in reversed(routes)]
    while pending:
        route, is_opaque = pending.pop()
        if isinstance(route, IncludedRouter):
            name, versions = "An included router", route.include_context.versions
            below = reversed(list(route.original_router.routes))
            pending += [(one, is_opaque or route.opaque) for one in below]
        else:
            name, versions = f"The route {getattr(route, 'path', None)!r}", getattr(route, "versions", None)
        if versions is None:
            continue
        if is_opaque:
            raise VersioningError(
                f"{name} is in a router that decides itself what it matches: say versions= where that is included"
            )
        yield name, versions


def refuse_versions(routes: Sequence[BaseRoute]) -> None:
    """Raise `VersioningError` for a route with versions, in an application that has none."""
    for name, versions in declared_versions(routes):
        raise VersioningError(f"{name} says versions={versions}: that takes FastAPI(versioning=...)")
