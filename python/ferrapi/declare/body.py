"""The body: which field it is declared as, whether its parameters are keys of it, and how it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo

from .. import params
from ..dependencies.models import Dependant, in_order
from .fields import ModelField, create_model_field, is_ready
from .forms import form_model_classes, form_models
from .sent import allows_none
from .type_kinds import is_json


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
    if len(models) > 1 and is_json(first.field_info):
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
        from .form_schema import composed_form

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


def _stands_for_form(info: FieldInfo) -> bool:
    """Whether the only form parameter is one model that is sent as JSON text (`Json[Model]`)."""
    return is_json(info) and len(form_model_classes(info.annotation)) == 1
