"""`ModelField`: one declared value (a parameter, a body, a response) with its validator and serializer.

A field is a pydantic ``FieldInfo`` plus a name and a direction. Its core schema is built when it is declared, because a
type that pydantic can't handle must be refused by the decorator, not by the first request. Types that are known to be
fine (`is_ready`) are spared that until they are used: most routes of a large application start up much faster.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property, lru_cache
from threading import Lock
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo
from pydantic.warnings import UnsupportedFieldAttributeWarning
from pydantic_core import PydanticUndefined, SchemaValidator, ValidationError
from typing_extensions import is_typeddict

from ..exceptions import FastAPIError, PydanticV1NotSupportedError
from .annotation import is_pydantic_v1

if TYPE_CHECKING:
    from ..types import IncEx

__all__ = ["ModelField", "create_model_field", "prefix_locations"]

Location = tuple[int | str, ...]
_RESTORING = Lock()


def prefix_locations(errors: Sequence[Any], prefix: Location) -> list[dict[str, Any]]:
    """The same error documents, each ``loc`` starting with `prefix`."""
    return [{**error, "loc": prefix + error["loc"]} for error in errors]


@dataclass(slots=True)
class _Made:
    """What pydantic had made for a model when a field was declared. `model_rebuild` makes it anew, tools edit it."""

    model: type[BaseModel]
    core_schema: Any
    validator: Any
    serializer: Any

    @classmethod
    def now(cls, model: type[BaseModel]) -> _Made:
        """What is there for `model` now."""
        return cls(model, model.__pydantic_core_schema__, model.__pydantic_validator__, model.__pydantic_serializer__)

    def restore(self) -> None:
        """Give it to the model again."""
        self.model.__pydantic_core_schema__ = self.core_schema
        self.model.__pydantic_validator__ = self.validator
        self.model.__pydantic_serializer__ = self.serializer


@contextmanager
def _as_they_were(declared: Sequence[_Made]) -> Iterator[None]:
    """Let pydantic see models as they were when a field was declared, because FastAPI makes its schema then."""
    changed = [made for made in declared if made.model.__dict__.get("__pydantic_core_schema__") is not made.core_schema]
    if not changed:
        yield
        return
    with _RESTORING:
        present = [_Made.now(made.model) for made in changed]
        try:
            for made in changed:
                made.restore()
            yield
        finally:
            for made in present:
                made.restore()


def _own_models() -> dict[str, Any]:
    options = {"_use_prebuilt": False}
    try:
        SchemaValidator({"type": "any"}, None, **options)
    except TypeError:
        return {}
    return options


_OWN_MODELS = _own_models()


def schema_validator(schema: Any) -> SchemaValidator:
    """A validator with just this core schema: models in it may have other validators by now, which don't count.

    They do with releases of pydantic-core that can't be told so.
    """
    return SchemaValidator(schema, None, **_OWN_MODELS)


@dataclass(eq=False)
class ModelField:
    """A named value with a type, a default and a direction.

    Parameters:
        field_info: the declaration; its ``annotation`` is the type.
        name: the Python name (the keyword argument for parameters).
        mode: ``validation`` for input, ``serialization`` for output.
        config: pydantic configuration for types that carry none of their own.
    """

    field_info: FieldInfo
    name: str
    mode: Literal["validation", "serialization"] = "validation"
    config: ConfigDict | None = None

    def __post_init__(self) -> None:
        info = self.field_info
        plain = self.config is None and not info.metadata and info.discriminator is None
        if plain and is_ready(info.annotation):
            self._declared_models = [_Made.now(model) for model in models_in(info.annotation)]
        else:
            self._type_adapter  # noqa: B018  # a mistake has to be raised by the decorator

    def __getstate__(self) -> dict[str, Any]:
        # What was made from the declaration (validators, readers) is made again where a copy needs it.
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _type_adapter(self) -> TypeAdapter[Any]:
        with warnings.catch_warnings(), _as_they_were(getattr(self, "_declared_models", ())):
            # An alias inside `Annotated` means nothing to a bare TypeAdapter: ferrapi reads it from the field itself.
            warnings.simplefilter("ignore", category=UnsupportedFieldAttributeWarning)
            return TypeAdapter(
                Annotated[self.field_info.annotation, self.field_info],  # type: ignore[arg-type]  # made at run time
                config=self.config,
            )

    @property
    def alias(self) -> str:
        """The name in the request or response."""
        alias = self.field_info.alias
        return self.name if alias is None else alias

    @property
    def validation_alias(self) -> str | None:
        """The name to read when it differs from the serialised one; only plain strings count."""
        alias = self.field_info.validation_alias
        return alias if isinstance(alias, str) and alias else None

    @property
    def serialization_alias(self) -> str | None:
        """The name to write when it differs."""
        return self.field_info.serialization_alias or None

    @property
    def source_name(self) -> str:
        """The name under which a request carries the value."""
        return self.validation_alias or self.alias

    @property
    def default(self) -> Any:
        """The default, or ``PydanticUndefined`` when there is none or when the value is required."""
        return PydanticUndefined if self.field_info.is_required() else self.get_default()

    def get_default(self) -> Any:
        """A fresh default: a copy, or the result of the default factory; ``PydanticUndefined`` if required."""
        if self.field_info.is_required():
            return PydanticUndefined
        return self.field_info.get_default(call_default_factory=True)

    def validate(
        self, value: Any, values: dict[str, Any] | None = None, *, loc: Location = ()
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Validate `value` in Python mode.

        Parameters:
            value: what was received.
            values: accepted for compatibility, not used.
            loc: prefix of the error locations.

        Returns:
            the validated value and no errors, or None and the error documents.
        """
        try:
            return self._type_adapter.validate_python(value, from_attributes=True), []
        except ValidationError as exc:
            return None, prefix_locations(exc.errors(include_url=False), loc)

    def serialize(
        self,
        value: Any,
        *,
        mode: Literal["json", "python"] = "json",
        include: IncEx | None = None,
        exclude: IncEx | None = None,
        by_alias: bool = True,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> Any:
        """`value` as plain data (`mode="json"`: JSON types only)."""
        return self._type_adapter.dump_python(
            value,
            mode=mode,
            include=include,
            exclude=exclude,
            by_alias=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    def serialize_json(
        self,
        value: Any,
        *,
        include: IncEx | None = None,
        exclude: IncEx | None = None,
        by_alias: bool = True,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> bytes:
        """`value` as JSON bytes."""
        return self._type_adapter.dump_json(
            value,
            include=include,
            exclude=exclude,
            by_alias=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )


_INVALID_FIELD = (
    "Invalid args for response field! Hint: check that {type_} is a valid Pydantic field type. If you are using a "
    "return type annotation that is not a valid Pydantic field (e.g. Union[Response, dict, None]) you can disable "
    "generating the response model from the type annotation with the path operation decorator parameter "
    "response_model=None. Read more: https://fastapi.tiangolo.com/tutorial/response-model/"
)


_READY = frozenset({str, int, float, bool, bytes, type(None), Any})
_READY_CONTAINERS = frozenset({list, set, frozenset, dict, tuple, Union, UnionType})


def is_ready(annotation: Any) -> bool:
    """Whether pydantic surely has a schema for this type: a plain scalar, a finished model, a container of these.

    What is said about a recursive model where it is used (a description, say) pydantic notes in the core schema of the
    model, where all other uses find it from when the schema of this use is made. So these are made in FastAPI's order.
    """
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        schema: Any = annotation.__dict__.get("__pydantic_core_schema__")
        return (
            annotation.__pydantic_complete__
            and isinstance(schema, dict)
            and schema.get("type", "definitions") != "definitions"
        )
    try:
        if annotation in _READY:
            return True
    except TypeError:
        return False
    arguments = get_args(annotation)
    return get_origin(annotation) in _READY_CONTAINERS and bool(arguments) and all(map(is_ready, arguments))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a ready type is made of."""
    arguments = get_args(annotation)
    if arguments:
        for argument in arguments:
            yield from models_in(argument)
    elif is_model(annotation):
        yield annotation


def create_model_field(
    name: str,
    type_: Any,
    default: Any = PydanticUndefined,
    field_info: FieldInfo | None = None,
    alias: str | None = None,
    mode: Literal["validation", "serialization"] = "validation",
) -> ModelField:
    """Make a field of `type_`.

    Raises:
        PydanticV1NotSupportedError: for a ``pydantic.v1`` model.
        FastAPIError: when pydantic has no schema for the type.
    """
    if is_pydantic_v1(type_):
        raise PydanticV1NotSupportedError(
            f"pydantic.v1 models are no longer supported by FastAPI. Please update the response model {type_!r}."
        )
    if field_info is None:
        field_info = FieldInfo(annotation=type_, default=default, alias=alias)
    try:
        return ModelField(field_info=field_info, name=name, mode=mode)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation):
        raise FastAPIError(_INVALID_FIELD.format(type_=type_)) from None
    except PydanticUserError as exc:
        if exc.code == "class-not-fully-defined":
            raise FastAPIError(_INVALID_FIELD.format(type_=type_)) from None
        raise


def is_model(annotation: Any) -> bool:
    """Whether `annotation` is a pydantic model class."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _has_settings(annotation: Any) -> bool:
    """Whether `annotation` is a type to which pydantic gives no settings from outside."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return is_model(annotation) or is_dataclass(annotation) or is_typeddict(annotation)


def model_fields(model: type[BaseModel]) -> list[ModelField]:
    """A field for each field of `model`, with the model's settings unless its type has settings of its own."""
    return [
        ModelField(field_info=info, name=name, config=None if _has_settings(info.annotation) else model.model_config)
        for name, info in model.model_fields.items()
    ]


@lru_cache
def cached_model_fields(model: type[BaseModel]) -> list[ModelField]:
    """The same list each time (see `model_fields`): schemas are looked up by field."""
    return model_fields(model)
