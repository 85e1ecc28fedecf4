"""What stands in the place of a dependency that is overridden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..dependencies.models import Dependant, oauth_scopes
from .callables import name_of
from .dependant import get_dependant

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


def override_of(dependant: Dependant, overrides: Overrides) -> Dependant:
    """The tree of what overrides a dependency, where it is used; `dependant` itself if nothing does.

    Raises:
        TypeError: for an override that can't be called.
        FastAPIError: for one that can't be a dependency.
    """
    override = overrides.get(dependant.call, dependant) if overrides and dependant.call is not None else dependant
    if override is dependant:
        return dependant
    if not callable(override):
        raise TypeError(f"The override of {name_of(dependant.call)} is {override!r}, which can't be called")
    return get_dependant(
        path=dependant.path or "",
        call=override,
        name=dependant.name,
        own_oauth_scopes=list(dict.fromkeys(oauth_scopes(dependant))),
        use_cache=dependant.use_cache,
        scope=dependant.scope,
        concurrency=dependant.concurrency,
    )


def override_in_turn(dependant: Dependant, overrides: Overrides) -> Dependant:
    """The same, but an override that can't be says so when its turn comes: what is before it runs, as in FastAPI."""
    try:
        return override_of(dependant, overrides)
    except Exception as error:
        return refusing(dependant, error, lambda: override_of(dependant, overrides))


def refusing(dependant: Dependant, error: Exception, make: Callable[[], object]) -> Dependant:
    """What stands in the place of `dependant` if that can't be: it raises when its turn comes.

    Parameters:
        dependant: what is overridden.
        error: why it can't be.
        make: raises such an error anew, because each request has its own traceback.
    """

    async def refused() -> None:
        make()
        raise error

    return Dependant(call=refused, name=dependant.name, path=dependant.path)
