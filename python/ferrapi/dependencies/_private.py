"""Private names of `fastapi.dependencies` that libraries call: what callables are, and how forms and models are read.

Each is a view of what the modules beside do. The loops over a form's parts are here because FastAPI's functions are
generators over several fields, where the engine reads one field at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel
from starlette.datastructures import FormData

from .. import params
from ..declare.annotation import is_union
from ..declare.body import body_field_of
from ..declare.callables import Kind, kind_of, unwrap
from ..declare.fields import Location, ModelField, cached_model_fields
from ..declare.forms import FormModel, as_field, form_model_classes, raw_values
from ..declare.parameter_models import get_value, rest, wants_many
from ..declare.sent import MISSING, model_of_source, names_of, wants_bytes
from ..declare.type_kinds import is_json, lenient_issubclass
from ..openapi._security import scheme_of
from ..security.base import SecurityBase
from ..serve.form_values import contents
from ..serve.values import Errors, read_model, validate_found
from ..types import DependencyCacheKey
from .models import Dependant, cache_key, computed_scope, oauth_scopes, scope_users

# What a callable is


def is_coroutine_callable(call: Callable[..., Any] | None) -> bool:
    """Whether calling it gives a coroutine."""
    return kind_of(call) is Kind.ASYNC


def is_gen_callable(call: Callable[..., Any] | None) -> bool:
    """Whether calling it gives a generator."""
    return kind_of(call) is Kind.GENERATOR


def is_async_gen_callable(call: Callable[..., Any] | None) -> bool:
    """Whether calling it gives an asynchronous generator."""
    return kind_of(call) is Kind.ASYNC_GENERATOR


def unwrapped_call(call: Callable[..., Any] | None) -> Any:
    """The callable under partials and ``functools.wraps`` decorators."""
    return unwrap(call)


def get_signature(call: Callable[..., Any]) -> inspect.Signature:
    """Its signature, with annotations that are strings evaluated if all names are known."""
    try:
        return inspect.signature(call, eval_str=True)
    except NameError:
        return inspect.signature(call)


# What a dependant is


def get_computed_scope(*, dependant: Dependant) -> str | None:
    """The declared ``scope``, or ``"request"`` for a ``yield`` dependency that declares none."""
    return computed_scope(dependant)


def get_oauth_scopes(*, dependant: Dependant) -> list[str]:
    """The security scopes in effect there."""
    return oauth_scopes(dependant)


def uses_scopes(*, dependant: Dependant, cache: Any = None) -> bool:
    """Whether it, or anything below it, looks at security scopes. `cache` is accepted and not needed."""
    return id(dependant) in scope_users(dependant)


def get_cache_key(*, dependant: Dependant, uses_scopes_cache: Any = None) -> DependencyCacheKey:
    """What makes two uses of a dependency one call."""
    return cache_key(dependant, uses_scopes(dependant=dependant))


def is_security_scheme(*, dependant: Dependant) -> bool:
    """Whether its callable is a security scheme."""
    return scheme_of(dependant.call) is not None


def get_security_scheme(*, dependant: Dependant) -> SecurityBase:
    """The security scheme that its callable is.

    Raises:
        AssertionError: if it is none.
    """
    scheme = scheme_of(dependant.call)
    if scheme is None:
        raise AssertionError(f"{dependant.call!r} is no security scheme")
    return scheme


# Bodies and parameters


def get_body_field(*, body_params: list[ModelField], name: str, embed_body_fields: bool) -> ModelField | None:
    """The one field that describes a body with these parameters; None without any.

    Parameters:
        body_params: all body parameters of an operation.
        name: the operation's unique id, from which an embedded body's model gets its name.
        embed_body_fields: whether each parameter is a key of the body.
    """
    return body_field_of(body_params, name=name, embed=embed_body_fields)


def get_model_type(annotation: Any) -> type[BaseModel] | None:
    """The model that `annotation` is, None being allowed beside it."""
    written = get_args(annotation) if is_union(annotation) else (annotation,)
    members = [one for one in written if one is not NoneType]
    return members[0] if len(members) == 1 and lenient_issubclass(members[0], BaseModel) else None


def is_json_field(field: ModelField) -> bool:
    """Whether the value is sent as JSON text."""
    return is_json(field.field_info)


def get_param_model(field: ModelField) -> type[BaseModel] | None:
    """The model whose fields stand for `field`, if that is one. Only a query, headers or cookies may lack it."""
    if is_json_field(field):
        return None
    model = get_model_type(field.field_info.annotation)
    may_lack = isinstance(field.field_info, params.Query | params.Header | params.Cookie)
    return model if may_lack or model is field.field_info.annotation else None


def get_flat_fields_from_params(fields: Sequence[ModelField]) -> list[ModelField]:
    """`fields`, with the fields of a model in place of each that is one."""
    flat: list[ModelField] = []
    for field in fields:
        model = get_param_model(field)
        flat.extend([field] if model is None else cached_model_fields(model))
    return flat


def get_param_aliases(field: ModelField) -> list[tuple[str, str]]:
    """The names under which a request may carry `field`, each with the key under which its model knows it."""
    config = field.config or {}
    if config.get("validate_by_alias") is False:
        return [(field.name, field.name)]
    names = names_of(field)
    if (config.get("populate_by_name") or config.get("validate_by_name")) and field.name not in names:
        names = [*names, field.name]
    return [(name, name) for name in names]


def get_multidict_value(field: ModelField, values: Mapping[str, Any], alias: str) -> Any:
    """What `values` has for `field` under `alias`; ``PydanticUndefined`` if that is nothing."""
    many = wants_many(field.field_info)
    if isinstance(values, FormData):
        found = values.getlist(alias)
        return as_field(found, many) if found else MISSING
    value = get_value(values, alias, many)
    if value is None or (many and isinstance(value, str) and not value):
        return MISSING
    return value


def get_multidict_extras(received_params: Mapping[str, Any], processed_keys: set[str]) -> Iterator[tuple[str, Any]]:
    """What is there under other keys; several values of one key are a list."""
    return rest(received_params, processed_keys)


def validate_value_with_model_field(
    *, field: ModelField, value: Any, values: dict[str, Any], loc: Location
) -> tuple[Any, Errors]:
    """The validated value, or None and the errors. `values` is accepted and not needed."""
    return validate_found(field, value, loc)


def request_param_model_to_args(
    model_field: ModelField, model: type[BaseModel], received_params: Mapping[str, Any]
) -> tuple[Any, Errors]:
    """The model that a whole source stands for, or None and the errors."""
    source = params.ParamTypes(getattr(model_field.field_info, "in_", params.ParamTypes.query)).value
    reader = model_of_source(model_field)
    if reader is None:
        raise AssertionError(f"{model_field.name!r} is no parameter model")
    return read_model(reader, model_field, received_params, (source,))


# Forms


def get_form_models(field: ModelField) -> list[type[BaseModel]]:
    """The models that stand for a whole form; empty if `field` is a single value, or no field of a form."""
    if not isinstance(field.field_info, params.Form) or is_json_field(field):
        return []
    return form_model_classes(field.field_info.annotation)


def get_form_model(field: ModelField) -> type[BaseModel] | None:
    """The model that stands for a whole form, if it is the only one."""
    models = get_form_models(field)
    return models[0] if len(models) == 1 else None


def get_form_union_models(annotation: Any) -> list[type[BaseModel]]:
    """The models of a union of several."""
    models = form_model_classes(annotation)
    return models if len(models) > 1 else []


def is_form_model_supplied(model: type[BaseModel], received_body: FormData) -> bool:
    """Whether anything in the form is the model's business."""
    reader = FormModel(model)
    return bool(received_body) if reader.keeps_extra else any(name in received_body for name in reader.own_names)


def extract_form_items(
    body_fields: list[ModelField], received_body: FormData
) -> Iterator[tuple[str, Any, ModelField | None]]:
    """The name, the value and the field for each field that the form carries, then the other parts (with None)."""
    seen: set[str] = set()
    for field in body_fields:
        for name, key in get_param_aliases(field):
            if name not in received_body:
                continue
            seen.add(name)
            value = get_multidict_value(field, received_body, name)
            if value is not MISSING:
                yield key, value, field
                break
    for name, value in raw_values(received_body).items():
        if name not in seen:
            yield name, value, None


async def extract_form_body(
    body_fields: list[ModelField], received_body: FormData
) -> AsyncIterator[tuple[str, Any, ModelField | None]]:
    """As `extract_form_items`, with the contents of the files that are declared as bytes."""
    for key, value, field in extract_form_items(body_fields, received_body):
        yield (
            key,
            await contents(value, field.field_info) if field is not None and wants_bytes(field.field_info) else value,
            field,
        )
