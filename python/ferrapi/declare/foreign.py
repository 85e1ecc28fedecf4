"""Objects of other frameworks, the real FastAPI above all, in an application of ferrapi.

A forgotten import or a shared library brings them in: ``user: Annotated[User, fastapi.Depends(auth)]``. Taken for an
ordinary default or for text in an annotation, such a marker would be ignored, and `auth` would never run. So each place
where an object means something asks here. What FastAPI's object says is said by an object of ferrapi instead (`own`),
where that is all there is to it. Anything else is refused, when it is registered, with a `ForeignObjectError`.

FastAPI is never imported for this: its classes are known by the modules that they say they are from. With
``import ferrapi.as_fastapi`` there are no such classes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from starlette.routing import BaseRoute, Host, Mount, Router

from .. import exceptions, params
from ..datastructures import DefaultPlaceholder
from ..exceptions import ForeignObjectError
from .foreign_classes import FASTAPI, comes_from

_ADVICE = "Import it from ferrapi, or `import ferrapi.as_fastapi` before anything imports fastapi."


def fastapi_class(cls: type[Any]) -> type[Any] | None:
    """The class of the real FastAPI that `cls` is or comes from; None if there is none."""
    for base in cls.__mro__:
        if str(base.__module__).partition(".")[0] == FASTAPI:
            return base
    return None


def _said(obj: Any, names: Iterable[str]) -> dict[str, Any]:
    """The attributes of these names that the object has."""
    return {name: getattr(obj, name) for name in names if hasattr(obj, name)}


_REMEMBERED = "_own_in_ferrapi"


def _own_depends(obj: Any) -> params.Depends:
    """A dependency marker. It is made once for each of FastAPI's, because all its uses share one limit of calls."""
    known = vars(obj).get(_REMEMBERED) if hasattr(obj, "__dict__") else None
    if isinstance(known, params.Depends):
        return known
    said = _said(obj, ("dependency", "use_cache", "scope", "max_concurrency"))
    if comes_from(type(obj), "fastapi.params.Security"):
        made: params.Depends = params.Security(**said, **_said(obj, ("scopes",)))
    else:
        made = params.Depends(**said)
    if hasattr(obj, "__dict__"):
        object.__setattr__(obj, _REMEMBERED, made)  # it is a frozen dataclass
    return made


_SAID_BY_PARAMETERS = ("convert_underscores", "embed", "example", "include_in_schema", "media_type", "openapi_examples")


def _own_parameter(obj: Any) -> Any:
    """The declaration of a parameter: the same fields of pydantic's, in ferrapi's class of the same name."""
    name = next(base.__name__ for base in type(obj).__mro__ if base.__module__ == "fastapi.params")
    made = copy(obj)
    made.__class__ = getattr(params, name)
    for attribute, value in _said(obj, _SAID_BY_PARAMETERS).items():  # a subclass may say it for all its objects
        setattr(made, attribute, own(value))
    source = getattr(obj, "in_", None)
    if source is not None:
        made.in_ = params.ParamTypes(getattr(source, "value", source))
    return made


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "fastapi.datastructures.DefaultPlaceholder": lambda obj: DefaultPlaceholder(obj.value),
    "fastapi.params.Depends": _own_depends,
    "fastapi.params.Param": _own_parameter,
    "fastapi.params.Body": _own_parameter,
}


def own(obj: Any) -> Any:
    """What `obj` says, as an object of ferrapi, if it is a marker of FastAPI's; else `obj` itself."""
    if fastapi_class(type(obj)) is not None:
        for base in type(obj).__mro__:
            convert = _CONVERSIONS.get(f"{base.__module__}.{base.__name__}")
            if convert is not None:
                return convert(obj)
    return obj


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with defaults that are marked as such by FastAPI's `Default` marked by ferrapi's."""
    return {name: own(value) for name, value in options.items()}


def own_marker(obj: Any, where: Callable[[], str], is_given: Callable[[], bool] = lambda: False) -> Any:
    """What a default, or an object in an annotation, is for ferrapi.

    Parameters:
        obj: the object.
        where: says which parameter has it as what, for the error.
        is_given: says whether the parameter receives an object of the request itself. A marker that has nothing to
            call asks for just that, so that a function can be a dependency in both frameworks.

    Raises:
        ForeignObjectError: for a dependency marker of a framework other than FastAPI.
    """
    obj = own(obj)
    if isinstance(obj, params.Depends) or not _looks_like_a_dependency(obj):
        return obj
    if obj.dependency is not None or not is_given():
        raise ForeignObjectError(
            f"{where()} is {_named(obj)}. It looks like a dependency of another framework, which ferrapi would not "
            "run. Use ferrapi.Depends."
        )
    return obj


def _looks_like_a_dependency(obj: Any) -> bool:
    """Whether an object has a callable as its `dependency`, or room for one.

    A model, class or module may have anything of this name, and so has whatever answers to every name (a mock).
    """
    if isinstance(obj, (type, ModuleType)) or inspect.getattr_static(obj, "dependency", obj) is obj:
        return False
    try:
        dependency = obj.dependency
    except Exception:
        return False
    return callable(dependency) or (dependency is None and not isinstance(obj, BaseModel))


def _named(obj: Any) -> str:
    """An object, and where its class is from, for people."""
    cls = obj if isinstance(obj, type) else type(obj)
    base = fastapi_class(cls)
    whence = "" if base in (None, cls) else f", which comes from {base.__name__} of the module {base.__module__}"
    what = "the class" if cls is obj else f"{obj!r} of the class"
    return f"{what} {cls.__name__} of the module {cls.__module__}{whence}"


def refuse(obj: Any, where: str) -> None:
    """Refuse an object or class of FastAPI's in a place where only ferrapi's work.

    Parameters:
        obj: it.
        where: what it is there, for the error: a noun.

    Raises:
        ForeignObjectError: if it is FastAPI's.
    """
    if fastapi_class(obj if isinstance(obj, type) else type(obj)) is not None:
        raise ForeignObjectError(f"{where} is {_named(obj)}. {_ADVICE}")


def refuse_annotation(annotation: Any, where: Callable[[], str]) -> None:
    """Refuse a type that asks for an object of FastAPI's own that ferrapi has no such object for.

    Raises:
        ForeignObjectError: if it is one.
    """
    if isinstance(annotation, type) and comes_from(annotation, "fastapi.security.oauth2.SecurityScopes"):
        refuse(annotation, where())


def refuse_app(app: Any, where: str) -> None:
    """Refuse an application that consists of FastAPI's routes without its application around them.

    FastAPI's applications are ordinary ASGI applications, and may be mounted.

    Raises:
        ForeignObjectError: if it is a router of FastAPI's, or has one of its routes.
    """
    if isinstance(app, Router):
        refuse(app, where)
        refuse_routes(app.routes, where)


def refuse_routes(routes: Iterable[BaseRoute], where: str) -> None:
    """Refuse FastAPI's routes, also below mounts.

    Raises:
        ForeignObjectError: if one is among them.
    """
    for route in routes:
        if type(route).__module__ in _HARMLESS and not isinstance(route, (Mount, Host)):
            continue
        refuse(route, f"A route of {where}")
        if isinstance(route, (Mount, Host)):
            refuse_app(getattr(route, "_base_app", route.app), f"What {where} mounts")


_HARMLESS = frozenset({"ferrapi.routing._contexts", "ferrapi.routing._route", "starlette.routing"})


def with_counterparts(handlers: Mapping[Any, Any], defaults: Mapping[Any, Any]) -> dict[Any, Any]:
    """Exception handlers that serve ferrapi's exceptions and FastAPI's of the same names alike.

    Parameters:
        handlers: by class or status code.
        defaults: the handlers that an application has without being asked: any other one comes before them.
    """
    module = sys.modules.get("fastapi.exceptions")
    found = dict(handlers)
    if module is None or module is exceptions:
        return found
    for name in exceptions.__all__:
        ours, theirs = getattr(exceptions, name), getattr(module, name, None)
        if not (isinstance(theirs, type) and isinstance(ours, type) and issubclass(theirs, Exception)):
            continue
        if theirs in handlers and handlers.get(ours) is defaults.get(ours):
            found[ours] = handlers[theirs]
        elif ours in handlers:
            found.setdefault(theirs, handlers[ours])
    return found
