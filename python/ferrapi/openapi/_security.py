"""Security schemes: the dependencies that are one, and the scopes an operation requires of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from ..declare.foreign_classes import is_foreign_scheme
from ..dependencies.models import in_order
from ..encoders import jsonable_encoder
from ..security.base import SecurityBase
from ..security.rules import AccessRule, Needs, described
from ._schemas import JsonObject

if TYPE_CHECKING:
    from ..dependencies.models import Dependant


@dataclass
class SecurityRequirements:
    """What an operation requires.

    Parameters:
        schemes: definitions of the schemes by name.
        scopes: the scopes required of each scheme, without repetitions.
        rules: what each access rule requires: one of some alternatives, each with the names by scheme.
        needs: the same for people.
    """

    schemes: dict[str, JsonObject] = field(default_factory=dict)
    scopes: dict[str, list[str]] = field(default_factory=dict)
    rules: list[list[dict[str, list[str]]]] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    def add(self, dependant: Dependant) -> None:
        """Add what `dependant` itself requires, if it is a security scheme or an access rule."""
        if isinstance(dependant.call, AccessRule):
            self._add_rule(dependant.call, dependant)
        scheme = scheme_of(dependant.call)
        if scheme is None:
            return
        name = scheme.scheme_name
        self.schemes[name] = jsonable_encoder(scheme.model, by_alias=True, exclude_none=True)
        scopes = self.scopes.setdefault(name, [])
        scopes += [scope for scope in scopes_of(dependant) if scope not in scopes]

    def _add_rule(self, rule: AccessRule, dependant: Dependant) -> None:
        alternatives = rule.alternatives()
        self.needs.append(described(alternatives))
        below = {use.call: _schemes_below(use) for use in dependant.dependencies}
        by_scheme = []
        for needs in alternatives:
            named: dict[str, list[str]] = {}
            for one in needs:
                for scheme in below[one.user]:
                    names = named.setdefault(scheme.scheme_name, [])
                    names += [name for name in _names_for(scheme, one) if name not in names]
            by_scheme.append(named)
        self.rules.append([named for named in by_scheme if named])

    def listed(self) -> list[dict[str, list[str]]]:
        """The alternatives, as an operation lists them; a scheme without a rule is one of its own, as in FastAPI."""
        rules = [rule for rule in self.rules if rule]
        if not rules:
            return [{name: scopes} for name, scopes in self.scopes.items()]
        found: list[dict[str, list[str]]] = []
        for chosen in product(*rules):
            merged: dict[str, list[str]] = {}
            for named in chosen:
                for scheme, names in named.items():
                    merged[scheme] = list(dict.fromkeys([*merged.get(scheme, self.scopes[scheme]), *names]))
            if merged not in found:
                found.append(merged)
        ruled = {scheme for rule in rules for named in rule for scheme in named}
        return [*found, *({name: scopes} for name, scopes in self.scopes.items() if name not in ruled)]

    def responses(self) -> JsonObject:
        """The refusals of access rules by status code."""
        if not self.needs:
            return {}
        return {
            "401": {"description": "Not authenticated"},
            "403": {"description": f"Not enough permissions: {'; and '.join(self.needs)}"},
        }


def _schemes_below(dependant: Dependant) -> list[SecurityBase]:
    found = [scheme_of(one.call) for one in in_order(dependant)]
    return [scheme for scheme in found if scheme is not None]


def _names_for(scheme: SecurityBase, needs: Needs) -> Sequence[str]:
    """The names that a requirement lists: those of OAuth 2.0 are scopes, those of others may be roles (OpenAPI 3.1)."""
    has_scopes = str(scheme.model.type_.value) in ("oauth2", "openIdConnect")  # of a class of FastAPI's, perhaps
    return () if has_scopes and needs.kind == "roles" else needs.names


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
