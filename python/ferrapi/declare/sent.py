"""How a parameter is sent: its names, whether all values count, and what of them says nothing."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, PydanticUndefinedType

from .. import params
from .annotation import field_annotation_is_sequence, members
from .fields import ModelField
from .parameter_models import ModelReader, choices_of, wants_many
from .type_kinds import is_bytes_or_nonable_bytes_annotation, is_bytes_sequence_annotation, parameter_model

MISSING: PydanticUndefinedType = PydanticUndefined


def get_validation_alias(field: ModelField) -> str:
    """The name under which a request carries `field`, as errors show it: the first of several choices."""
    return names_of(field)[0]


def names_of(field: ModelField) -> list[str]:
    """The names under which a request may carry `field`, the preferred one first."""
    return choices_of(field.field_info) or [field.source_name]


def wants_bytes(info: FieldInfo) -> bool:
    """Whether files are handed over as their content: those declared with `File` as bytes."""
    annotation = info.annotation
    return isinstance(info, params.File) and (
        is_bytes_or_nonable_bytes_annotation(annotation) or is_bytes_sequence_annotation(annotation)
    )


class Sent:
    """How a parameter is sent, as far as its declaration says it.

    Attributes:
        names: under which it may be sent, the preferred one first.
        many: whether all values count.
        blank_is_missing: whether an empty text says nothing. It is no sequence, and a field of a form that was left
            empty; even where it ought to be JSON.
        as_bytes: whether files are handed over as their content.
    """

    __slots__ = ("as_bytes", "blank_is_missing", "many", "names")

    def __init__(self, field: ModelField) -> None:
        info = field.field_info
        self.names = names_of(field)
        self.many = wants_many(info)
        self.blank_is_missing = isinstance(info, params.Form) or field_annotation_is_sequence(info.annotation)
        self.as_bytes = wants_bytes(info)


def sent_as(field: ModelField) -> Sent:
    """How `field` is sent; remembered on the field."""
    known: Sent | None = field.__dict__.get("_sent")
    if known is None:
        known = field.__dict__["_sent"] = Sent(field)
    return known


def allows_none(field: ModelField) -> bool:
    """Whether the declared type includes None."""
    return any(member is type(None) for member in members(field.field_info.annotation))


class ModelOfSource:
    """How a parameter is sent whose value is a whole source (a parameter model).

    Attributes:
        optional: whether it may be None.
        reader: makes the model's dictionary of a source.
    """

    def __init__(self, field: ModelField, model: type[BaseModel]) -> None:
        self.optional = allows_none(field)
        convert = bool(getattr(field.field_info, "convert_underscores", False))
        self.reader = ModelReader(model, convert)


def model_of_source(field: ModelField) -> ModelOfSource | None:
    """How `field` is sent if it is a parameter model; remembered on the field."""
    known = field.__dict__.get("_parameter_model", MISSING)
    if known is MISSING:
        model = parameter_model(field.field_info)
        known = field.__dict__["_parameter_model"] = None if model is None else ModelOfSource(field, model)
    found: ModelOfSource | None = known
    return found
