"""The body: which field it is declared as, and how its values are told apart and validated."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo
from starlette.datastructures import FormData

from .. import params
from .._boundary import form_plan
from .._fields import Location, ModelField, create_model_field, is_ready
from .._native import FormReader
from . import _types
from ._forms import form_model_classes, form_models, read_form_field, whole_form
from ._large_values import Large
from ._plain import is_plain_field
from ._values import MISSING, Errors, allows_none, missing_error, names_of, validate_found, wants_bytes
from .models import Dependant, in_order


def flat_body_params(dependant: Dependant) -> list[ModelField]:
    """The body parameters of the tree, parents' first; those of a dependency that is used twice are there twice."""
    return [field for node in in_order(dependant) for field in node.body_params]


def has_to_be_made_now(fields: Sequence[ModelField]) -> bool:
    """Whether the model of such a body is made with the route.

    pydantic may refuse it, for names that fields can't have or for forms; or schemas have to be made in order (see
    `is_ready`).
    """
    names_refused = any(field.name.startswith("_") or hasattr(BaseModel, field.name) for field in fields)
    return names_refused or any(
        form_models(field) is not None or not is_ready(field.field_info.annotation) for field in fields
    )


def should_embed_body_fields(fields: Sequence[ModelField]) -> bool:
    """Whether the body is an object with one key per parameter, rather than the one parameter itself."""
    if not fields:
        return False
    if len({field.name for field in fields}) > 1:
        return True
    first = fields[0]
    if getattr(first.field_info, "embed", None):
        return True
    if not isinstance(first.field_info, params.Form):
        return False
    # A lone form field is still a field of a form. Only a model stands for the form itself, however often it is used.
    models = form_model_classes(first.field_info.annotation)
    if len(models) > 1 and _types.is_json(first.field_info):
        return True
    if len(fields) == 1 or not models or form_models(first) is None:
        return not models
    asked = first.field_info.annotation
    return len(models) > 1 or any(form_models(one) is None or one.field_info.annotation is not asked for one in fields)


def wants_key(fields: Sequence[ModelField]) -> bool:
    """Whether the only body parameter of a callable is to be a key of the body, whatever those of the others are."""
    if len(fields) != 1:
        return False
    info = fields[0].field_info
    return bool(getattr(info, "embed", None)) or (isinstance(info, params.Form) and not _stands_for_form(info))


BODY_MODULE = "fastapi._compat.v2"
"""The module of the models that stand for bodies: documents show it where two of them have one name."""


def create_body_model(
    *, fields: Sequence[ModelField], model_name: str, config: ConfigDict | None = None
) -> type[BaseModel]:
    """The model that stands for an embedded body, or a form, in OpenAPI.

    Parameters:
        fields: the parameters that are keys of the body.
        model_name: its name.
        config: of the model.
    """
    definitions: dict[str, Any] = {field.name: (field.field_info.annotation, field.field_info) for field in fields}
    if config is not None:
        return create_model(model_name, __config__=config, __module__=BODY_MODULE, **definitions)
    return create_model(model_name, __module__=BODY_MODULE, **definitions)


def _body_info(fields: Sequence[ModelField]) -> tuple[type[params.Body], dict[str, Any]]:
    """How the whole body is declared: with files as multipart, else in the media type of all form or body fields."""
    if any(isinstance(field.field_info, params.File) for field in fields):
        return params.File, {}
    info_class = params.Form if is_form(fields) else params.Body
    media_types = {field.field_info.media_type for field in fields if isinstance(field.field_info, info_class)}
    return info_class, {"media_type": media_types.pop()} if len(media_types) == 1 else {}


def get_body_field(*, dependant: Dependant, name: str, embed: bool) -> ModelField | None:
    """The one field that describes the whole body, or None without body parameters.

    Parameters:
        dependant: the endpoint's tree.
        name: the operation's unique id, from which an embedded body's model gets its name.
        embed: whether each parameter is a key of the body.
    """
    return body_field_of(flat_body_params(dependant), name=name, embed=embed)


def body_field_of(fields: Sequence[ModelField], *, name: str, embed: bool) -> ModelField | None:
    """The same (see `get_body_field`), for all body parameters of an operation."""
    if not fields:
        return None
    whole = [field for field in fields if form_models(field) is not None]
    if not embed and not any(allows_none(field) for field in whole):
        return fields[0]
    model_name = f"Body_{name}"
    if whole:
        from ._form_schema import composed_form

        model = composed_form(fields, model_name, BODY_MODULE)
    else:
        model = create_body_model(fields=fields, model_name=model_name)
    if not embed:  # the declaration stays what it was, but for its type
        info = copy(fields[0].field_info)
        info.annotation, info.metadata, info.discriminator = model, [], None
        return create_model_field(name=fields[0].name, type_=model, alias=info.alias, field_info=info)
    info_class, options = _body_info(fields)
    default: Any = ... if any(field.field_info.is_required() for field in fields) else None
    info = info_class(annotation=model, default=default, alias="body", **options)
    return create_model_field(name="body", type_=model, alias="body", field_info=info)


def is_form(fields: Sequence[ModelField]) -> bool:
    """Whether these body parameters arrive as a form."""
    return any(isinstance(field.field_info, params.Form) for field in fields)


def body_encoding(fields: Sequence[ModelField], embed: bool) -> str | None:
    """How a body with these parameters arrives: ``"form"``, ``"json"``, or None without one.

    Unless each parameter is a key of the body, the first one stands for it.
    """
    if not fields:
        return None
    return "form" if is_form(fields if embed else fields[:1]) else "json"


async def request_body_to_args(
    body_fields: Sequence[ModelField], received_body: Any, embed_body_fields: bool
) -> tuple[dict[str, Any], Errors]:
    """Validate the body parameters of one callable.

    Parameters:
        body_fields: the declared parameters.
        received_body: the parsed body: JSON values, raw bytes, a form, or `MISSING`.
        embed_body_fields: whether each parameter is a key of the body.

    Returns:
        the keyword arguments of those that are valid, and the errors of the others. What stands for the whole body is
        None if it is invalid, as FastAPI has it.
    """
    return await body_values(body_fields, received_body, embed_body_fields, None)


async def body_values(
    fields: Sequence[ModelField], body: Any, embed: bool, large: Large | None
) -> tuple[dict[str, Any], Errors]:
    """The same; `large` is what is to be known of a large body."""
    if isinstance(body, FormData):
        return await _form_to_args(fields, body, embed)
    is_whole = len(fields) == 1 and not embed and _takes_all(fields[0])
    values: dict[str, Any] = {}
    errors = []
    for field in fields:
        loc, received = (("body",), body) if is_whole else _found_in(body, field)
        if received is _NO_OBJECT:
            errors.append(missing_error(loc))  # JSON, but nothing that could have keys
            continue
        if large is None or received is MISSING:
            value, found = validate_found(field, received, loc)
        else:
            value, found = await large.validate(field, received, loc)
        errors.extend(found)
        if is_whole or not found:
            values[field.name] = value
    return values, errors


_NO_OBJECT: Any = object()


def _found_in(body: Any, field: ModelField) -> tuple[Location, Any]:
    """Where a parameter is in a body, and its value: `MISSING` without one, `_NO_OBJECT` where nothing could be."""
    names = names_of(field)
    look_up = getattr(body, "get", None)  # of a dictionary, or of whatever a caller has made of the body
    if look_up is None:
        nothing = body is MISSING or isinstance(body, bytes)
        return ("body", names[0]), MISSING if nothing else _NO_OBJECT
    for name in names:
        received = look_up(name, MISSING)
        if received is not MISSING:
            return ("body", name), received
    return ("body", names[0]), MISSING


def form_reader(fields: Sequence[ModelField]) -> FormReader | None:
    """The native reader of these fields, if all are plain; remembered on the first of them."""
    key = tuple(id(field) for field in fields)
    known = fields[0].__dict__.get("_form_reader")
    if known is None or known[0] != key:
        names = {field.name for field in fields}
        plain = len(names) == len(fields) and all(_is_plain_form_field(field) for field in fields)
        known = fields[0].__dict__["_form_reader"] = (key, FormReader(form_plan(fields)) if plain else None)
    reader: FormReader | None = known[1]
    return reader


def _takes_all(field: ModelField) -> bool:
    """Whether `field`, if it is alone, is the body, rather than a key of it: the values of a form all have names."""
    return not wants_key([field])


def _is_plain_form_field(field: ModelField) -> bool:
    info = field.field_info
    if type(info) not in (params.Form, params.File) or _types.is_json(info):
        return False
    model = _types.parameter_model(info)
    read = [info] if model is None else model.model_fields.values()
    return is_plain_field(field) and not any(wants_bytes(one) for one in read)  # which takes waiting for the file


def _stands_for_form(info: FieldInfo) -> bool:
    """Whether the only form parameter is one model that is sent as JSON text (`Json[Model]`)."""
    return _types.is_json(info) and len(form_model_classes(info.annotation)) == 1


async def _form_to_args(fields: Sequence[ModelField], form: FormData, embed: bool) -> tuple[dict[str, Any], Errors]:
    reader = form_reader(fields)
    plain_values = None if reader is None else reader.read(form._list)
    if plain_values is not None:
        return plain_values, []
    values: dict[str, Any] = {}
    errors: Errors = []
    for field in fields:
        if len(fields) == 1 and not embed and _takes_all(field):
            # Where a lone model is sent as JSON text (`Json[Model]`), FastAPI offers it the form as a whole.
            value, found = validate_found(field, whole_form(field, form), ("body",))
        else:
            value, found = await read_form_field(field, form)
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors
