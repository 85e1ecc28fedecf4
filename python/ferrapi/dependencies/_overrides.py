"""What stands in the place of a dependency that is overridden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ._callables import name_of
from ._dependant import get_dependant
from .models import Dependant, oauth_scopes

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


def override_of(dependant: Dependant, overrides: Overrides) -> Dependant:
    """The tree of what overrides a dependency, where it is used; `dependant` itself if nothing does.

    Raises:
        TypeError: for an override that can't be called.
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
