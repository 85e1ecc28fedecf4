"""One parameter of a user's callable, from its annotation and default to a declared field or dependency.

Five small stages: take `Annotated` apart, look at the default, refuse contradictions, infer the source of what was left
undeclared, make the field.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args, get_origin

from pydantic import AliasChoices, AliasPath
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from .. import params
from .._compat.pydantic import attributes_set, set_attributes
from ..dependencies.models import Dependant
from ..exceptions import ParameterError
from .callables import name_of
from .fields import ModelField, create_model_field
from .foreign import own_marker, refuse_annotation
from .forms import as_form
from .parameter_models import choices_of
from .type_kinds import (
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
    lenient_issubclass,
    sole_model,
    unaliased,
)


@dataclass
class ParamDetails:
    """What a parameter turned out to be: a dependency, a field, or one of the objects a request offers."""

    type_annotation: Any
    depends: params.Depends | None
    field: ModelField | None


@dataclass(slots=True)
class _Draft:
    """A parameter while the stages work on it."""

    name: str
    annotation: Any
    type_annotation: Any
    default: Any
    owner: Callable[..., Any] | None = None
    depends: params.Depends | None = None
    info: FieldInfo | None = None

    @property
    def where(self) -> str:
        """The parameter, for people."""
        return f"parameter {self.name!r}" + ("" if self.owner is None else f" of {name_of(self.owner)}")

    def is_given(self) -> bool:
        """Whether it receives an object of the request itself."""
        return is_special(self.type_annotation)


_MERGED_ATTRIBUTES = frozenset(
    {
        "alias",
        "alias_priority",
        "default_factory",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "json_schema_extra",
        "serialization_alias",
        "title",
        "validate_default",
        "validation_alias",
    }
)
SPECIAL_TYPES = (Request, WebSocket, HTTPConnection, Response, StarletteBackgroundTasks)


def is_special(annotation: Any) -> bool:
    """Whether parameters of this type receive an object of the request itself."""
    from ..security.oauth2 import SecurityScopes

    return lenient_issubclass(annotation, (*SPECIAL_TYPES, SecurityScopes))


def copy_field_info(*, field_info: FieldInfo, annotation: Any) -> FieldInfo:
    """A copy of `field_info` for `annotation`, with what a pydantic `Field` beside it in `Annotated` says.

    Where several say something, the last one counts; `field_info` is one of them if it stands in the annotation itself.
    """
    merged = FieldInfo.from_annotation(annotation)
    result = copy(field_info)
    told = attributes_set(merged)
    for name, value in told.items():
        if name in _MERGED_ATTRIBUTES:
            setattr(result, name, value)
    result.metadata = merged.metadata
    result.annotation = merged.annotation
    set_attributes(result, {**attributes_set(field_info), **told})
    return result


def _from_annotated(draft: _Draft, path_param_names: set[str]) -> None:
    if get_origin(draft.annotation) is not Annotated:
        return
    draft.type_annotation, *given = get_args(draft.annotation)
    metadata = [
        own_marker(item, lambda: f"What the annotation of {draft.where} holds", draft.is_given) for item in given
    ]
    if any(item is not known for item, known in zip(metadata, given, strict=True)):
        draft.annotation = Annotated[(draft.type_annotation, *metadata)]
    declared = [item for item in metadata if isinstance(item, (params.Param, params.Body, params.Depends))]
    if not declared:
        return
    last = declared[-1]
    if isinstance(last, params.Depends):
        draft.depends = last
        return
    info = copy_field_info(field_info=last, annotation=draft.annotation)
    if last.default is not PydanticUndefined and last.default is not ...:
        raise ParameterError(
            f"`{type(last).__name__}` default value cannot be set in `Annotated` for {draft.name!r}. "
            "Set the default value with `=` instead."
        )
    if draft.default is not inspect.Signature.empty:
        if draft.name in path_param_names:
            raise ParameterError("Path parameters cannot have default values")
        marked = isinstance(draft.default, (params.Param, params.Body, params.Depends, FieldInfo))
        if draft.default is not ... and not marked:
            if info.default_factory is not None:
                raise TypeError("cannot specify both default and default_factory")
            info.default = draft.default
    draft.info = info


def _from_default(draft: _Draft, path_param_names: set[str]) -> None:
    default = draft.default = own_marker(draft.default, lambda: f"The default of {draft.where}", draft.is_given)
    if isinstance(default, params.Depends):
        if draft.depends is not None:
            raise ParameterError(
                f"Cannot specify `Depends` in `Annotated` and default value together for {draft.name!r}"
            )
        if draft.info is not None:
            raise ParameterError(
                "Cannot specify a FastAPI annotation in `Annotated` and `Depends` as a default value together for "
                f"{draft.name!r}"
            )
        draft.depends = default
    elif isinstance(default, FieldInfo):
        if draft.depends is not None:
            _refuse_other_sources(draft, default, path_param_names)
            return  # FastAPI takes the dependency, and no other notice of this
        if draft.info is not None:
            raise ParameterError(
                f"Cannot specify FastAPI annotations in `Annotated` and default value together for {draft.name!r}"
            )
        # What stands beside the type in `Annotated` does not count here: FastAPI takes the type alone.
        draft.info = default
        draft.info.annotation = draft.type_annotation


def _resolve_depends(draft: _Draft) -> None:
    depends = draft.depends
    if depends is not None and depends.dependency is None:
        draft.depends = replace(depends, dependency=draft.type_annotation)


def _refuse_contradictions(draft: _Draft) -> bool:
    """Raise for a declared request object; answer whether the parameter is one."""
    if draft.depends is not None:
        return False
    refuse_annotation(draft.type_annotation, lambda: f"The type of {draft.where}")
    if not is_special(draft.type_annotation):
        return False
    if draft.info is not None:
        raise ParameterError(f"Cannot specify FastAPI annotation for type {draft.type_annotation!r}")
    return True


def _infer(draft: _Draft, path_param_names: set[str]) -> None:
    """Declare the source that the user left to us: the path, a file, the query, or the body."""
    default = PydanticUndefined if draft.default is inspect.Signature.empty or draft.default is ... else draft.default
    annotation = draft.annotation
    if draft.name in path_param_names:
        # A default of a path parameter can never apply: the path always carries it.
        draft.info = params.Path(annotation=annotation)
    elif is_uploadfile_or_nonable_uploadfile_annotation(draft.type_annotation) or is_uploadfile_sequence_annotation(
        draft.type_annotation
    ):
        draft.info = params.File(annotation=annotation, default=default)
    elif field_annotation_is_scalar(draft.type_annotation):
        draft.info = params.Query(annotation=annotation, default=default)
    else:
        draft.info = params.Body(annotation=annotation, default=default)
    if get_origin(annotation) is Annotated:
        draft.info = copy_field_info(field_info=draft.info, annotation=annotation)
    if draft.name in path_param_names:
        draft.info.default_factory = None  # as little as a default


def _refuse_other_sources(draft: _Draft, info: FieldInfo, path_param_names: set[str]) -> None:
    if draft.name in path_param_names and not isinstance(info, params.Path):
        raise ParameterError(f"Cannot use `{type(info).__name__}` for path param {draft.name!r}")


def _check_source(draft: _Draft, info: FieldInfo, path_param_names: set[str]) -> None:
    _refuse_other_sources(draft, info, path_param_names)
    if isinstance(info, params.Param) and getattr(info, "in_", None) is None:
        info.in_ = params.ParamTypes.query


def _check_type(draft: _Draft, field: ModelField, path_param_names: set[str]) -> None:
    info = field.field_info
    if draft.name in path_param_names and not field_annotation_is_scalar(info.annotation):
        raise ParameterError("Path params must be of one of the supported types")
    if isinstance(info, params.Query) and not (
        field_annotation_is_scalar(info.annotation)
        or field_annotation_is_scalar_sequence(info.annotation)
        or sole_model(info.annotation) is not None
    ):
        raise ParameterError(f"Query parameter {draft.name!r} must be one of the supported types")


def _choose_path_alias(info: FieldInfo, path_param_names: set[str]) -> FieldInfo:
    """A path carries each value under one name: the first choice that is in the template, else the plain alias."""
    if not isinstance(info, params.Path) or not isinstance(info.validation_alias, (AliasChoices, AliasPath)):
        return info
    chosen = copy(info)
    matching = [name for name in choices_of(info) or () if name in path_param_names]
    chosen.validation_alias = matching[0] if matching else None
    if matching:
        chosen.alias = matching[0]
    return chosen


def _make_field(draft: _Draft, info: FieldInfo) -> ModelField:
    if not info.alias and getattr(info, "convert_underscores", None):
        alias = draft.name.replace("_", "-")
    else:
        alias = info.alias or draft.name
    info.alias = alias
    if isinstance(info, params.Form):
        info.annotation = as_form(info.annotation)
    return create_model_field(
        name=draft.name, type_=draft.annotation, default=info.default, alias=alias, field_info=info
    )


def analyze_param(
    *,
    param_name: str,
    annotation: Any,
    value: Any,
    path_param_names: set[str],
    owner: Callable[..., Any] | None = None,
) -> ParamDetails:
    """Decide what one parameter is.

    Parameters:
        param_name: its name in the callable.
        annotation: its evaluated annotation, or ``inspect.Signature.empty``.
        value: its default, or ``inspect.Signature.empty``.
        path_param_names: the names in the route's path template.
        owner: the callable, for errors.

    Raises:
        ForeignObjectError: for a dependency marker of another framework.
        ParameterError: for contradictory declarations.
        FastAPIError: for a type without a pydantic schema.
    """
    known = unaliased(annotation) if annotation is not inspect.Signature.empty else Any
    draft = _Draft(param_name, known, known, value, owner)
    _from_annotated(draft, path_param_names)
    _from_default(draft, path_param_names)
    _resolve_depends(draft)
    if draft.depends is not None or _refuse_contradictions(draft):
        return ParamDetails(draft.type_annotation, draft.depends, None)
    if draft.info is None:
        _infer(draft, path_param_names)
    info = draft.info
    if info is None:  # `_infer` always declares
        raise ParameterError(f"Parameter {param_name!r} has no source")
    _check_source(draft, info, path_param_names)
    if not isinstance(info, (params.Param, params.Body)):
        raise ParameterError(f"non-body parameters must be in path, query, header or cookie: {param_name}")
    field = _make_field(draft, _choose_path_alias(info, path_param_names))
    _check_type(draft, field, path_param_names)
    return ParamDetails(draft.type_annotation, None, field)


def add_non_field_param_to_dependency(*, param_name: str, type_annotation: Any, dependant: Dependant) -> bool | None:
    """Note on `dependant` which keyword argument takes a request object; None when the type is no such object."""
    from ..security.oauth2 import SecurityScopes

    table = (
        (Request, "request_param_name"),
        (WebSocket, "websocket_param_name"),
        (HTTPConnection, "http_connection_param_name"),
        (Response, "response_param_name"),
        (StarletteBackgroundTasks, "background_tasks_param_name"),
        (SecurityScopes, "security_scopes_param_name"),
    )
    for type_, attribute in table:
        if lenient_issubclass(type_annotation, type_):
            setattr(dependant, attribute, param_name)
            return True
    return None


def add_param_to_fields(*, field: ModelField, dependant: Dependant) -> None:
    """Put `field` into the list of its source."""
    info = field.field_info
    source = getattr(info, "in_", None)
    lists = {
        params.ParamTypes.path: dependant.path_params,
        params.ParamTypes.query: dependant.query_params,
        params.ParamTypes.header: dependant.header_params,
        params.ParamTypes.cookie: dependant.cookie_params,
    }
    if source is None or source not in lists:
        raise ParameterError(f"non-body parameters must be in path, query, header or cookie: {field.name}")
    list.append(lists[source], field)  # announces no edit: the tree is being made
