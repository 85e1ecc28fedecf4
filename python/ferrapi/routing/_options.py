"""The options that every way of declaring a route shares, written once.

`RouteOptions` is what the verb decorators accept, `IncludeOptions` what `include_router` does. The functions take them
as ``**options: Unpack[...]`` (PEP 692) and show them one by one at run time (`ferrapi.declare.spelled_out.spell_out`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypedDict

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from .. import params
from ..datastructures import Default
from ..declare.defaults import SET_BY_DEFAULT
from ..declare.limits import FormLimits
from ..declare.spelled_out import spell_out
from ..declare.versions import Versions
from ..types import IncEx
from ..utils import generate_unique_id
from ._route import APIRoute


class _Described(TypedDict, total=False):
    """What OpenAPI and the response are told about an operation.

    response_model: the type that results are validated and filtered by; left out, the endpoint's return type; None for
        no validation.
    status_code: the response's status; 200 unless the response class has another.
    tags: the groups under which the documentation shows the operation.
    dependencies: run before the endpoint, for what they do and not for what they return.
    summary: its title in the documentation; left out, the endpoint's name in words.
    description: its text there, in Markdown; left out, the endpoint's docstring.
    response_description: the text beside the response's status.
    responses: further responses for the documentation, by status.
    deprecated: whether the documentation says that clients should stop using it.
    """

    response_model: Any
    status_code: int | None
    tags: list[str | Enum] | None
    dependencies: Sequence[params.Depends] | None
    summary: str | None
    description: str | None
    response_description: str
    responses: dict[int | str, dict[str, Any]] | None
    deprecated: bool | None


class _Rendered(TypedDict, total=False):
    """How the response is filtered and rendered.

    operation_id: the operation's id in the document; left out, made from its name, path and method.
    response_model_include: the only fields of the result that are sent.
    response_model_exclude: fields of the result that are not sent.
    response_model_by_alias: whether fields are sent under their aliases.
    response_model_exclude_unset: whether fields that nobody has set are left out.
    response_model_exclude_defaults: whether fields that have their default are left out.
    response_model_exclude_none: whether fields that are None are left out.
    include_in_schema: whether the OpenAPI document has the operation.
    response_class: what renders the result; left out, JSON.
    name: the route's name, for `url_path_for`; left out, the endpoint's.
    """

    operation_id: str | None
    response_model_include: IncEx | None
    response_model_exclude: IncEx | None
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    include_in_schema: bool
    response_class: type[Response]
    name: str | None


class _Callbacks(TypedDict, total=False):
    """What applications don't take in `api_route`.

    callbacks: routes that the client offers and the application calls, for the documentation.
    """

    callbacks: list[BaseRoute] | None


class _Extra(TypedDict, total=False):
    """What is beyond the description of the operation.

    openapi_extra: members to merge into the operation in the OpenAPI document.
    generate_unique_id_function: makes the operation's id from the route.
    """

    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Callable[[APIRoute], str]


class _Limited(TypedDict, total=False):
    """What bodies are taken.

    max_body_size: the longest body in bytes; a longer one is answered with 413. None for no limit of its own.
    form_limits: limits of forms (`FormLimits`); those that are left out are inherited.
    """

    max_body_size: int | None
    form_limits: FormLimits | None


class _Own(TypedDict, total=False):
    """What FastAPI has no option for. It is passed on only where it is given: overridden methods need not take it.

    versions: the versions of the API that have it, ``">=2"`` for example (see `ferrapi.versioning`).
    dependencies_before_body: whether the dependencies that need no body run before the body is read; None for what
        the router says.
    """

    versions: Versions
    dependencies_before_body: bool | None


class _Cancelled(TypedDict, total=False):
    """What FastAPI has no option for, and includes neither.

    cancel_on_disconnect: whether the endpoint, which is asynchronous, is cancelled when the client leaves.
    """

    cancel_on_disconnect: bool | None


class RouteOptions(_Described, _Rendered, _Callbacks, _Extra, _Limited, _Own, _Cancelled, total=False):
    """The options of `get`, `post` and the other verbs."""


class MethodsOptions(_Described, total=False):
    """`methods`, in its place among the described options.

    methods: the HTTP methods; GET if none are named.
    """

    methods: list[str] | set[str] | None


class AppRouteOptions(MethodsOptions, _Rendered, _Extra, _Limited, _Own, _Cancelled, total=False):
    """The options of an application's `api_route` and `add_api_route`."""


class ApiRouteOptions(MethodsOptions, _Rendered, _Callbacks, _Extra, _Limited, _Own, _Cancelled, total=False):
    """The options of a router's `api_route`."""


class _RouteClass(TypedDict, total=False):
    """A class of routes.

    route_class_override: the class of this route alone, instead of the router's.
    """

    route_class_override: type[APIRoute] | None


class _Strict(TypedDict, total=False):
    """How bodies are read.

    strict_content_type: whether a body without a content type is never read as JSON.
    """

    strict_content_type: bool


class AddRouteOptions(
    MethodsOptions, _Rendered, _RouteClass, _Callbacks, _Extra, _Strict, _Limited, _Own, _Cancelled, total=False
):
    """The options of `APIRouter.add_api_route`."""


class _Included(TypedDict, total=False):
    """The options of `include_router`.

    prefix: comes before each path; begins with a slash and does not end with one.
    tags: come before the tags of the router and its routes.
    dependencies: run before those of the router and its routes.
    responses: for the documentation of each route, unless it says otherwise.
    deprecated: whether the documentation says of each route that clients should stop using it.
    include_in_schema: whether the OpenAPI document has the routes.
    default_response_class: what renders results where neither the router nor the route says it.
    callbacks: come before the callbacks of the router and its routes.
    generate_unique_id_function: makes operation ids where neither the router nor the route says how.
    max_body_size: the longest body in bytes where neither the router nor the route has a limit.
    form_limits: limits of forms; those of the router and its routes count before them.
    """

    prefix: str
    tags: list[str | Enum] | None
    dependencies: Sequence[params.Depends] | None
    responses: dict[int | str, dict[str, Any]] | None
    deprecated: bool | None
    include_in_schema: bool
    default_response_class: type[Response]
    callbacks: list[BaseRoute] | None
    generate_unique_id_function: Callable[[APIRoute], str]
    max_body_size: int | None
    form_limits: FormLimits | None


class IncludeOptions(_Included, _Own, total=False):
    """The options of `include_router`."""


ROUTE_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys((*RouteOptions.__annotations__, "methods", "route_class_override")),
    **SET_BY_DEFAULT,
}
_INCLUDE_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(IncludeOptions.__annotations__),
    "prefix": "",
    "include_in_schema": True,
    "default_response_class": Default(JSONResponse),
    "generate_unique_id_function": Default(generate_unique_id),
}


def filled(kind: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a kind, in the order of its declaration: those that were not given as the placeholders that
    signatures show. Whoever overrides a method that registers routes gets them all, as in FastAPI; and those that
    FastAPI hasn't, if they were given.
    """
    defaults = _INCLUDE_DEFAULTS if kind is IncludeOptions else ROUTE_DEFAULTS
    own = {*_Own.__annotations__, *_Cancelled.__annotations__}
    names = [name for name in kind.__annotations__ if name not in own or options.get(name) is not None]
    return {name: options.get(name, defaults[name]) for name in names}


_PARTS = (_Described, MethodsOptions, _Rendered, _RouteClass, _Callbacks, _Extra, _Strict, _Limited, _Own, _Cancelled)
route_options = spell_out(RouteOptions, ROUTE_DEFAULTS, *_PARTS)
app_route_options = spell_out(AppRouteOptions, ROUTE_DEFAULTS, *_PARTS)
api_route_options = spell_out(ApiRouteOptions, ROUTE_DEFAULTS, *_PARTS)
add_route_options = spell_out(AddRouteOptions, ROUTE_DEFAULTS, *_PARTS)
include_options = spell_out(IncludeOptions, _INCLUDE_DEFAULTS, _Included, _Own)
