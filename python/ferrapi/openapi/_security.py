"""Security schemes: the dependencies that are one, and the scopes an operation requires of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from .._foreign import is_foreign_scheme
from ..dependencies.models import in_order
from ..encoders import jsonable_encoder
from ..security.base import SecurityBase
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

    def add(self, dependant: Dependant) -> None:
        """Add what `dependant` itself requires, if it is a security scheme."""
        scheme = scheme_of(dependant.call)
        if scheme is None:
            return
        name = scheme.scheme_name
        self.schemes[name] = jsonable_encoder(scheme.model, by_alias=True, exclude_none=True)
        scopes = self.scopes.setdefault(name, [])
        scopes += [scope for scope in scopes_of(dependant) if scope not in scopes]


def scheme_of(call: Any) -> SecurityBase | None:
    """The security scheme that `call` is, partials of it included; one of FastAPI's is as good."""
    while isinstance(call, partial):
        call = call.func
    return call if isinstance(call, SecurityBase) or is_foreign_scheme(call) else None


def scopes_of(dependant: Dependant) -> list[str]:
    """The scopes that a security scheme is asked for: those of its dependents, then its own."""
    scopes = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    return list(dict.fromkeys(scopes))


def security_requirements(dependant: Dependant) -> SecurityRequirements:
    """Collect the security schemes below `dependant`, an endpoint; all of them have to be satisfied."""
    found = SecurityRequirements()
    for one in in_order(dependant):
        if one is not dependant:
            found.add(one)
    return found
