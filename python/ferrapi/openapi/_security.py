"""Security schemes: the dependencies that are one, and the scopes an operation requires of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..encoders import jsonable_encoder
from ..security.base import SecurityBase
from ._parameters import walk
from ._schemas import JsonObject

if TYPE_CHECKING:
    from ..dependencies.models import Dependant


@dataclass
class SecurityRequirements:
    """What an operation requires.

    Parameters:
        schemes: definitions of the schemes by name.
        scopes: the scopes required of each scheme, without repetitions.
    """

    schemes: dict[str, JsonObject] = field(default_factory=dict)
    scopes: dict[str, list[str]] = field(default_factory=dict)


def _scheme_of(call: Any) -> SecurityBase | None:
    while isinstance(call, partial):
        call = call.func
    return call if isinstance(call, SecurityBase) else None


def _scopes_of(dependant: Dependant) -> list[str]:
    """The scopes that a security scheme is asked for: those of its dependents, then its own."""
    scopes = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    return list(dict.fromkeys(scopes))


def security_requirements(dependant: Dependant) -> SecurityRequirements:
    """Collect the security schemes below `dependant`; all of them have to be satisfied."""
    found = SecurityRequirements()
    for one in walk(dependant):
        scheme = _scheme_of(one.call)
        if scheme is None:
            continue
        name = scheme.scheme_name
        found.schemes[name] = jsonable_encoder(scheme.model, by_alias=True, exclude_none=True)
        scopes = found.scopes.setdefault(name, [])
        scopes += [scope for scope in _scopes_of(one) if scope not in scopes]
    return found
