"""Who may: roles and scopes that a request needs, as dependencies.

`RequireRoles` and `RequireScopes` ask any dependency of the application's for the user, and look at what that says of
them. Without a user the answer is 401; with one that lacks something it is 403. `any_of` and `all_of` put rules
together. The OpenAPI document shows both answers, and what is needed of which security scheme.

    admin = RequireRoles("admin", user=get_user)

    @app.delete("/items/{item_id}", dependencies=[Depends(admin)])

A rule is a dependency: it may be declared on a route, a router or an application, or as a parameter that gets the user.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from .. import params
from ..exceptions import AccessRuleError, HTTPException

__all__ = ["AccessRule", "RequireRoles", "RequireScopes", "all_of", "any_of"]

Source = Callable[[Any], Collection[str] | str | None]
"""What the roles or scopes of a user are; a text holds them separated by blanks, as in OAuth 2.0 (RFC 6749, 3.3)."""

_MISSING = object()


@dataclass(frozen=True)
class Refusal:
    """Why a request isn't let in.

    Attributes:
        is_known: whether there is a user, who lacks something.
        scopes: the OAuth 2.0 scopes that would do.
    """

    is_known: bool
    scopes: tuple[str, ...] = ()

    def error(self) -> HTTPException:
        """The answer: 401, or 403 with the challenge of RFC 6750, section 3.1, where scopes are missing."""
        if not self.is_known:
            return HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
        challenge = f'Bearer error="insufficient_scope", scope="{" ".join(self.scopes)}"'
        return HTTPException(403, "Not enough permissions", {"WWW-Authenticate": challenge} if self.scopes else None)


class _UsersAsParameters:
    """The signature of a rule: one parameter for each user dependency. The class itself has its usual one."""

    def __get__(self, rule: AccessRule | None, owner: type) -> inspect.Signature:
        if rule is None:
            raise AttributeError("__signature__")
        kind = inspect.Parameter.KEYWORD_ONLY
        users = enumerate(rule.users())
        return inspect.Signature(
            [inspect.Parameter(f"user_{number}", kind, default=params.Depends(user)) for number, user in users]
        )


class AccessRule:
    """A rule that lets a request in or refuses it. As a dependency its value is the user.

    Rules are made with `RequireRoles`, `RequireScopes`, `any_of` and `all_of`.

    Raises:
        AccessRuleError: when it is used as a dependency and no dependency for its user is known.
    """

    def users(self) -> list[Callable[..., Any]]:
        """The dependencies that say who the user is, each once."""
        raise NotImplementedError

    def decide(self, users: Mapping[Any, Any]) -> Any:
        """The user who is let in, or a `Refusal`. `users` has what each of the dependencies says."""
        raise NotImplementedError

    def alternatives(self) -> list[tuple[Needs, ...]]:
        """What a request needs: all of one of these. For the document."""
        raise NotImplementedError

    __signature__ = _UsersAsParameters()

    async def __call__(self, **users: Any) -> Any:
        """Let the request in, or refuse it.

        Returns:
            the user.

        Raises:
            HTTPException: 401 without a user, 403 for one that lacks something.
            AccessRuleError: for a user that says nothing of roles or scopes.
        """
        decided = self.decide(dict(zip(self.users(), users.values(), strict=True)))
        if isinstance(decided, Refusal):
            raise decided.error()
        return decided


@dataclass(frozen=True)
class Needs:
    """What one rule needs.

    Attributes:
        kind: whether `names` are roles or scopes.
        names: all of them.
        user: the dependency that says who the user is.
    """

    kind: Literal["roles", "scopes"]
    names: tuple[str, ...]
    user: Callable[..., Any]

    def __str__(self) -> str:
        kind = self.kind if len(self.names) > 1 else self.kind[:-1]
        return f"{kind} {', '.join(self.names)}"


class _Require(AccessRule):
    """A rule about names that a user has."""

    _kind: Literal["roles", "scopes"]

    def __init__(self, names: Sequence[str], user: Callable[..., Any] | None, source: Source | None) -> None:
        if not names or not all(isinstance(name, str) and name for name in names):
            raise AccessRuleError(f"{type(self).__name__} takes the names that are needed, at least one")
        self.names = tuple(dict.fromkeys(names))
        self.user = user
        self._source = source

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.names))})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self.names, self.user, self._source

    def users(self) -> list[Callable[..., Any]]:
        if self.user is None:
            raise AccessRuleError(f"{self!r} doesn't know whose {self._kind} it is about: say user=<a dependency>")
        return [self.user]

    def decide(self, users: Mapping[Any, Any]) -> Any:
        user = users[self.user]
        if user is None:
            return Refusal(is_known=False)
        if self._names_of(user).issuperset(self.names):
            return user
        return Refusal(is_known=True, scopes=self.names if self._kind == "scopes" else ())

    def alternatives(self) -> list[tuple[Needs, ...]]:
        return [(Needs(self._kind, self.names, self.users()[0]),)]

    def _names_of(self, user: Any) -> frozenset[str]:
        found = _attribute(user, self._kind) if self._source is None else self._source(user)
        if found is None:
            return frozenset()
        return frozenset(found.split() if isinstance(found, str) else found)


def _attribute(user: Any, kind: Literal["roles", "scopes"]) -> Any:
    """The roles or scopes of a user: an item of a mapping (``scope`` in the claims of a token), or an attribute."""
    if isinstance(user, Mapping):
        return user.get(kind, user.get("scope") if kind == "scopes" else None)
    found = getattr(user, kind, _MISSING)
    if found is _MISSING:
        raise AccessRuleError(
            f"A user of type {type(user).__name__} has no attribute {kind!r}: say {kind}=<a function of the user>"
        )
    return found


class RequireRoles(_Require):
    """Let in who has all of some roles.

    Parameters:
        roles: their names.
        user: the dependency that says who the user is; None from it means that nobody is known (401). A rule inside of
            `any_of` or `all_of` may leave it to these.
        roles_of: a function from the user to the roles. Without it they are the attribute or the item ``roles``.

    Raises:
        AccessRuleError: without roles.
    """

    _kind = "roles"

    def __init__(self, *roles: str, user: Callable[..., Any] | None = None, roles_of: Source | None = None) -> None:
        super().__init__(roles, user, roles_of)


class RequireScopes(_Require):
    """Let in who has all of some OAuth 2.0 scopes.

    Parameters:
        scopes: their names.
        user: as in `RequireRoles`.
        scopes_of: a function from the user to the scopes. Without it they are the attribute ``scopes``, or the item
            ``scopes`` or ``scope``.

    Raises:
        AccessRuleError: without scopes.
    """

    _kind = "scopes"

    def __init__(self, *scopes: str, user: Callable[..., Any] | None = None, scopes_of: Source | None = None) -> None:
        super().__init__(scopes, user, scopes_of)


class _Several(AccessRule):
    """A rule of rules."""

    def __init__(self, rules: Sequence[AccessRule], user: Callable[..., Any] | None) -> None:
        if not rules or not all(isinstance(rule, AccessRule) for rule in rules):
            raise AccessRuleError("any_of and all_of take rules, at least one: RequireRoles(...), RequireScopes(...)")
        self.rules = tuple(rule if user is None else _with_user(rule, user) for rule in rules)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash((type(self), self.rules))

    def users(self) -> list[Callable[..., Any]]:
        return list(dict.fromkeys(user for rule in self.rules for user in rule.users()))


class _AnyOf(_Several):
    def decide(self, users: Mapping[Any, Any]) -> Any:
        refusals = []
        for rule in self.rules:
            decided = rule.decide(users)
            if not isinstance(decided, Refusal):
                return decided
            refusals.append(decided)
        return next((refusal for refusal in refusals if refusal.is_known), refusals[0])

    def alternatives(self) -> list[tuple[Needs, ...]]:
        return [needs for rule in self.rules for needs in rule.alternatives()]


class _AllOf(_Several):
    def decide(self, users: Mapping[Any, Any]) -> Any:
        decided = [rule.decide(users) for rule in self.rules]
        refusals = [one for one in decided if isinstance(one, Refusal)]
        return decided[0] if not refusals else min(refusals, key=lambda refusal: refusal.is_known)

    def alternatives(self) -> list[tuple[Needs, ...]]:
        found: list[tuple[Needs, ...]] = [()]
        for rule in self.rules:
            found = [(*one, *more) for one in found for more in rule.alternatives()]
        return found


def _with_user(rule: AccessRule, user: Callable[..., Any]) -> AccessRule:
    """A rule that asks `user` where it doesn't say whom."""
    if isinstance(rule, _Several):
        return type(rule)(rule.rules, user)
    if isinstance(rule, _Require) and rule.user is None:
        made = copy(rule)
        made.user = user
        return made
    return rule


def any_of(*rules: AccessRule, user: Callable[..., Any] | None = None) -> AccessRule:
    """Let in who is let in by one of some rules; the value is the user of the first that does.

    Without any user it is 401; if any user is known, 403. All user dependencies are called before a rule is asked, so
    that of several none may raise: let them return None for nobody (``auto_error=False``).

    Parameters:
        rules: the rules.
        user: for those that name no user dependency.

    Raises:
        AccessRuleError: for what is no rule.
    """
    return _AnyOf(rules, user)


def all_of(*rules: AccessRule, user: Callable[..., Any] | None = None) -> AccessRule:
    """Let in who is let in by all of some rules; the value is the user of the first. Otherwise as `any_of`."""
    return _AllOf(rules, user)


def described(alternatives: Iterable[tuple[Needs, ...]]) -> str:
    """What is needed, for people."""
    return "; or ".join(" and ".join(map(str, needs)) for needs in alternatives)
