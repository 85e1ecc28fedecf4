"""Building the `Dependant` tree of a callable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal

from .. import params
from ..dependencies.models import Dependant, computed_scope, with_first
from ..exceptions import CircularDependencyError, DependencyScopeError, ParameterError
from ..utils import get_path_param_names
from .callables import is_generator, name_of
from .foreign import own_marker
from .parameters import add_non_field_param_to_dependency, add_param_to_fields, analyze_param
from .signature import get_typed_signature


def _check_scope(parent: Dependant, depends: params.Depends) -> None:
    """A ``yield`` dependency that lives as long as the request can't use one that ends with the function."""
    if is_generator(parent.call) and computed_scope(parent) == "request" and depends.scope == "function":
        raise DependencyScopeError(
            f'The dependency "{getattr(parent.call, "__name__", "<unnamed_callable>")}" has a scope of "request", it '
            'cannot depend on dependencies with scope "function".'
        )
    if parent.scope == "app" and depends.scope != "app":
        raise DependencyScopeError(
            f'The dependency {name_of(parent.call)} has the scope "app": it outlives every request, so it cannot use '
            f'{name_of(depends.dependency)}, which is called for each. Declare that one with scope="app", too.'
        )


def _refuse_parameter(dependant: Dependant, name: str) -> None:
    """Nothing of a request can be given to what is called once for the application."""
    if dependant.scope == "app":
        raise DependencyScopeError(
            f'The dependency {name_of(dependant.call)} has the scope "app", so that there is no request to take its '
            f'parameter {name!r} from. Its parameters can only be dependencies with scope="app".'
        )


@dataclass(slots=True)
class _Use:
    """A use of a dependency whose callable is still to be read."""

    depends: params.Depends
    name: str | None


MAX_DEPTH = 10_000
"""How deep dependencies may go. Deeper than this there is a callable that makes its own dependency anew each time."""


def circular_dependency(calls: Sequence[Any], kind: str = "dependencies") -> CircularDependencyError:
    """The error for dependencies that form a cycle.

    Parameters:
        calls: the callables of the cycle, each needing the next one; the last one is the first one again.
        kind: what forms the cycle.
    """
    way = " -> ".join(name_of(call) for call in calls)
    return CircularDependencyError(
        f"Circular {kind}: {way}. Let one of them take what it needs in another way than by depending on the next."
    )


def _identity(call: Any) -> tuple[int, int]:
    """What two callables have in common if they are one: a method is made anew whenever it is looked up."""
    if isinstance(call, MethodType):
        return id(call.__func__), id(call.__self__)
    return id(call), 0


class _Above:
    """The callables above the one that is being read, to notice one that comes again."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], Any] = {}

    def enter(self, call: Any) -> None:
        """Go into `call`.

        Raises:
            CircularDependencyError: if it is being read already.
        """
        key = _identity(call)
        if key in self._calls:
            calls = list(self._calls.values())
            raise circular_dependency([*calls[list(self._calls).index(key) :], call])
        if len(self._calls) == MAX_DEPTH:
            raise CircularDependencyError(
                f"Dependencies are more than {MAX_DEPTH} deep below {name_of(next(iter(self._calls.values())))}: "
                f"each {name_of(call)} makes another one."
            )
        self._calls[key] = call

    def leave(self) -> None:
        """Leave the innermost callable."""
        self._calls.popitem()


def _used(use: _Use, path: str, scopes: list[str]) -> Dependant:
    """The dependant of one use, its own signature not read yet."""
    depends = use.depends
    if depends.dependency is None:
        raise ParameterError("A dependency needs a callable: use Depends(some_callable)")
    return Dependant(
        call=depends.dependency,
        name=use.name,
        path=path,
        own_oauth_scopes=list(depends.scopes) if isinstance(depends, params.Security) and depends.scopes else [],
        parent_oauth_scopes=scopes,
        use_cache=depends.use_cache,
        scope=depends.scope,
        concurrency=depends._concurrency,
    )


def get_parameterless_sub_dependant(*, depends: params.Depends, path: str) -> Dependant:
    """The tree of a dependency that is declared on a route or router and passes nothing on.

    Raises:
        ForeignObjectError: for a dependency of another framework.
        ParameterError: when `depends` has no callable.
    """
    depends = own_marker(depends, lambda: "One of the dependencies= of a route, router or application")
    if not callable(depends.dependency):
        raise ParameterError("A parameter-less dependency must have a callable dependency")
    return get_dependant(
        path=path,
        call=depends.dependency,
        own_oauth_scopes=list(depends.scopes) if isinstance(depends, params.Security) and depends.scopes else [],
        use_cache=depends.use_cache,
        scope=depends.scope,
        concurrency=depends._concurrency,
    )


def get_dependant(
    *,
    path: str,
    call: Callable[..., Any],
    name: str | None = None,
    own_oauth_scopes: list[str] | None = None,
    parent_oauth_scopes: list[str] | None = None,
    use_cache: bool = True,
    scope: Literal["function", "request", "app"] | None = None,
    concurrency: Any = None,
) -> Dependant:
    """Read the signature of `call` into a tree of what it needs.

    Parameters:
        path: the route's path template; names in braces are path parameters.
        call: the endpoint or dependency.
        name: the parameter of the parent that receives the result, if any.
        own_oauth_scopes: the security scopes declared where `call` is used.
        parent_oauth_scopes: the security scopes in effect above it.
        use_cache: whether one call per request serves all equal uses.
        scope: when a ``yield`` dependency closes.
        concurrency: the limit of simultaneous calls that ``Depends(max_concurrency=…)`` made.

    Raises:
        ParameterError: for a contradictory parameter.
        CircularDependencyError: for a dependency that needs itself.
        DependencyScopeError: when a request-scoped generator needs a function-scoped one, or an application-scoped
            dependency something of a request.
        FastAPIError: for a type without a pydantic schema.
    """
    dependant = Dependant(
        call=call,
        name=name,
        path=path,
        use_cache=use_cache,
        scope=scope,
        own_oauth_scopes=own_oauth_scopes,
        parent_oauth_scopes=parent_oauth_scopes,
        concurrency=concurrency,
    )
    names = get_path_param_names(path)
    above = _Above()
    above.enter(call)
    # A stack of our own: how deep dependencies go is up to the application, not to Python's recursion limit. A
    # dependency is read when its parameter's turn is, so that of several mistakes the first one is reported.
    stack = [(dependant, _read_signature(dependant, names))]
    while stack:
        current, uses = stack[-1]
        use = next(uses, None)
        if use is None:
            stack.pop()
            above.leave()
            continue
        scopes = [*(current.parent_oauth_scopes or ()), *(current.own_oauth_scopes or ())]
        sub = _used(use, path, scopes)
        above.enter(sub.call)
        list.append(current.dependencies, sub)
        stack.append((sub, _read_signature(sub, names)))
    return dependant


def _read_signature(dependant: Dependant, path_param_names: set[str]) -> Iterator[_Use]:
    """Note on `dependant` what its callable's parameters are; give the dependencies among them in their turn."""
    call: Any = dependant.call  # None is refused as anything is that can't be called
    for parameter in get_typed_signature(call).parameters.values():
        details = analyze_param(
            param_name=parameter.name,
            annotation=parameter.annotation,
            value=parameter.default,
            path_param_names=path_param_names,
            owner=call,
        )
        if details.depends is not None:
            _check_scope(dependant, details.depends)
            yield _Use(details.depends, parameter.name)
            continue
        _refuse_parameter(dependant, parameter.name)
        if details.field is None:
            add_non_field_param_to_dependency(
                param_name=parameter.name, type_annotation=details.type_annotation, dependant=dependant
            )
        elif isinstance(details.field.field_info, params.Body):
            list.append(dependant.body_params, details.field)  # not an edit: nobody has seen the object yet
        else:
            add_param_to_fields(field=details.field, dependant=dependant)


def with_route_dependencies(dependant: Dependant, dependencies: Sequence[params.Depends], path: str) -> Dependant:
    """A copy of `dependant` with the dependencies of route and routers before the endpoint's own.

    They are read from the last to the first: of several mistakes, that of the last one is reported.
    """
    subs = [get_parameterless_sub_dependant(depends=depends, path=path) for depends in reversed(dependencies)]
    return with_first(dependant, subs[::-1])
