"""The body: which field it is declared as, and how its values are told apart and validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from starlette.datastructures import FormData

from .. import params
from .._fields import ModelField, create_model_field
from . import _types
from ._forms import form_to_values
from ._values import MISSING, Errors, missing_error, names_of, validate_found
from .models import Dependant, walk


def flat_body_params(dependant: Dependant) -> list[ModelField]:
    """The body parameters of the tree, the endpoint's own first, a shared dependency's once."""
    found: list[ModelField] = []
    seen: set[Any] = set()
    from .models import cache_key

    def visit(node: Dependant) -> None:
        found.extend(node.body_params)
        for sub in node.dependencies:
            key = cache_key(sub)
            if key in seen:
                continue
            seen.add(key)
            visit(sub)

    visit(dependant)
    return found


def should_embed_body_fields(fields: Sequence[ModelField]) -> bool:
    """Whether the body is an object with one key per parameter, rather than the one parameter itself."""
    if not fields:
        return False
    if len({field.name for field in fields}) > 1:
        return True
    first = fields[0]
    if getattr(first.field_info, "embed", None):
        return True
    # A lone form field is still a field of a form; only a model stands for the form itself.
    return isinstance(first.field_info, params.Form) and not _types.model_classes(first.field_info.annotation)


def create_body_model(
    *, fields: Sequence[ModelField], model_name: str, config: ConfigDict | None = None
) -> type[BaseModel]:
    """The model that stands for an embedded body in OpenAPI."""
    definitions: dict[str, Any] = {field.name: (field.field_info.annotation, field.field_info) for field in fields}
    if config is not None:
        return create_model(model_name, __config__=config, **definitions)
    return create_model(model_name, **definitions)


def _body_info(fields: Sequence[ModelField]) -> tuple[type[params.Body], dict[str, Any]]:
    if any(isinstance(field.field_info, params.File) for field in fields):
        return params.File, {}
    if any(isinstance(field.field_info, params.Form) for field in fields):
        return params.Form, {}
    media_types = {
        field.field_info.media_type for field in fields if isinstance(field.field_info, params.Body)
    }
    return params.Body, {"media_type": media_types.pop()} if len(media_types) == 1 else {}


def get_body_field(*, dependant: Dependant, name: str, embed: bool) -> ModelField | None:
    """The one field that describes the whole body, or None without body parameters.

    Parameters:
        dependant: the endpoint's tree.
        name: the operation's unique id, from which an embedded body's model gets its name.
        embed: whether each parameter is a key of the body.
    """
    fields = flat_body_params(dependant)
    if not fields:
        return None
    if not embed:
        return fields[0]
    model = create_body_model(fields=fields, model_name=f"Body_{name}")
    info_class, options = _body_info(fields)
    required = any(field.required for field in fields)
    info = info_class(annotation=model, default=... if required else None, alias="body", **options)
    return create_model_field(name="body", type_=model, alias="body", field_info=info)


def is_form(fields: Sequence[ModelField]) -> bool:
    """Whether these body parameters arrive as a form."""
    return any(isinstance(field.field_info, params.Form) for field in fields)


def body_encoding(dependant: Dependant) -> str | None:
    """How the body of this tree arrives: ``"form"``, ``"json"``, or None without one."""
    fields = [field for node in walk(dependant) for field in node.body_params]
    if not fields:
        return None
    return "form" if is_form(fields) else "json"


async def request_body_to_args(
    body_fields: Sequence[ModelField], received_body: Any, embed_body_fields: bool
) -> tuple[dict[str, Any], Errors]:
    """Validate the body parameters of one callable.

    Parameters:
        body_fields: the declared parameters.
        received_body: the parsed body: JSON values, raw bytes, a form, or `MISSING`.
        embed_body_fields: whether each parameter is a key of the body.

    Returns:
        the keyword arguments of those that are valid, and the errors of the others.
    """
    if len(body_fields) == 1 and not embed_body_fields:
        field = body_fields[0]
        if isinstance(received_body, FormData):
            received_body = await form_to_values(body_fields, received_body)
        value, errors = validate_found(field, received_body, ("body",))
        return ({} if errors else {field.name: value}), errors
    if isinstance(received_body, FormData):
        received_body = await form_to_values(body_fields, received_body)
    values: dict[str, Any] = {}
    errors = []
    for field in body_fields:
        names = names_of(field)
        name, received = names[0], MISSING
        if isinstance(received_body, Mapping):
            for candidate in names:
                if candidate in received_body:
                    name, received = candidate, received_body[candidate]
                    break
        elif received_body is not MISSING and field.required:
            errors.append(missing_error(("body", name)))
            continue
        value, found = validate_found(field, received, ("body", name))
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors


