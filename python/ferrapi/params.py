"""Declarations of parameters: where a value comes from, how it is validated and how it is documented.

`Path`, `Query`, `Header`, `Cookie`, `Body`, `Form` and `File` are pydantic `FieldInfo`s that also say which part of
the request they read; `Depends` and `Security` say that a value is made by a callable. Applications rarely use these
classes: the functions of the same names in `ferrapi` (see `param_functions`) make them and return `Any`, so that
`q: int = Query()` passes a type checker.

The options are declared once, in `ParamOptions`. An option that is not given is left out of the field altogether,
which is not the same as an explicit `None`: pydantic keeps a list of the attributes that were set on purpose and
merges fields by it. The alias rules (`alias` fills the other two) are those of `pydantic.Field`.
"""

import re
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict, Unpack

from pydantic import AliasChoices, AliasPath, Discriminator, GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined as Undefined
from typing_extensions import deprecated

from ._deprecation import warn_deprecated
from ._names import names_of
from .concurrency import _DependencyConcurrency
from .datastructures import _Unset
from .declare.foreign_classes import refuse_in_fastapi
from .declare.spelled_out import spell_out
from .exceptions import DependencyScopeError, ParameterError

if TYPE_CHECKING:
    from .openapi.models import Example

__all__ = [
    "Body",
    "Cookie",
    "Depends",
    "File",
    "Form",
    "Header",
    "Param",
    "ParamTypes",
    "Path",
    "Query",
    "Security",
]


class ParamOptions(TypedDict, total=False):
    """What every parameter declaration accepts by keyword.

    Value and name:
        default_factory: Makes the default, instead of a fixed one.
        alias: The name in the request, if it is not the parameter's own.
        alias_priority: Whether an alias generator may replace the alias (1) or not (2).
        validation_alias: The name in the request; wins over `alias`.
        serialization_alias: The name when a model field is serialized.

    Validation:
        gt, ge, lt, le: Exclusive and inclusive bounds of a number.
        multiple_of: A number that the value is divided by without remainder.
        allow_inf_nan: Whether infinities and NaN are numbers.
        max_digits, decimal_places: Limits of a `Decimal`.
        min_length, max_length: Limits of a string's or a collection's length.
        pattern: A regular expression that a string has to match.
        regex: The old name of `pattern`.
        discriminator: The field that tells the members of a union apart.
        strict: Whether the value has to have the type already.
        validate_default: Whether the default is validated too.
        union_mode: Try a union's members for the best match, or from left to right.
        fail_fast: Whether a collection stops at its first error.

    Documentation:
        title, description: Text for humans.
        examples: Example values, in the JSON schema.
        example: The old form of `examples`.
        openapi_examples: Examples by name, in OpenAPI's own form.
        deprecated: Whether clients should stop using it, or why.
        include_in_schema: Whether the OpenAPI document mentions it.
        json_schema_extra: Members to add to the JSON schema, or a function that edits it.
    """

    default_factory: Callable[[], Any] | None
    alias: str | None
    alias_priority: int | None
    validation_alias: str | AliasPath | AliasChoices | None
    serialization_alias: str | None
    title: str | None
    description: str | None
    gt: float | None
    ge: float | None
    lt: float | None
    le: float | None
    min_length: int | None
    max_length: int | None
    pattern: str | re.Pattern[str] | None
    regex: str | None
    discriminator: str | Discriminator | None
    strict: bool | None
    validate_default: bool | None
    union_mode: Literal["smart", "left_to_right"] | None
    fail_fast: bool | None
    multiple_of: float | None
    allow_inf_nan: bool | None
    max_digits: int | None
    decimal_places: int | None
    examples: list[Any] | None
    example: Any
    openapi_examples: "dict[str, Example] | None"
    deprecated: deprecated | str | bool | None
    include_in_schema: bool
    json_schema_extra: dict[str, Any] | Callable[[dict[str, Any]], None] | None


class FieldOptions(ParamOptions, total=False):
    """The options of the classes: those of the functions, and the type if no signature gives it."""

    annotation: Any


OPTION_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length", "pattern", "regex", "openapi_examples")),
    "annotation": None,
    "include_in_schema": True,
}
"""What a signature shows for the options whose default is a plain value; the others show that they are unset."""

NOT_OF_PYDANTIC = frozenset({"regex", "example", "openapi_examples", "include_in_schema"})
"""The options that `FieldInfo` knows nothing of."""

_LAST = ("strict", "allow_inf_nan", "max_digits", "decimal_places", "pattern", "annotation")
"""The options that FastAPI hands on behind all others, which earlier releases of pydantic keep in that order."""

_class_options = spell_out(FieldOptions, OPTION_DEFAULTS)


class ParamTypes(Enum):
    """The part of a request that a parameter is read from; the values are OpenAPI's `in`."""

    query = "query"
    header = "header"
    path = "path"
    cookie = "cookie"


class _Declared(FieldInfo):  # type: ignore[misc]  # final in pydantic's stubs; FastAPI's API is made of subclasses
    """What a parameter and a body have in common: pydantic's part, and what OpenAPI needs beyond it."""

    example: Any
    include_in_schema: bool
    openapi_examples: "dict[str, Example] | None"

    def _declare(self, default: Any, options: FieldOptions) -> None:
        """Initialise from the options that were given."""
        if "example" in options and options["example"] is not _Unset:
            warn_deprecated("`example` has been deprecated, please use `examples` instead")
        if options.get("regex") is not None:
            warn_deprecated("`regex` has been deprecated, please use `pattern` instead")
        self.example = options.get("example", _Unset)
        self.include_in_schema = options.get("include_in_schema", True)
        self.openapi_examples = options.get("openapi_examples")
        super().__init__(**_field_arguments(default, options))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.default})"


def _field_arguments(default: Any, options: FieldOptions) -> dict[str, Any]:
    """What to hand to `FieldInfo`: the options that were given, by the alias rules of `pydantic.Field`."""
    given: dict[str, Any] = {
        name: value for name, value in options.items() if name not in NOT_OF_PYDANTIC and value is not _Unset
    }
    given["pattern"] = options.get("pattern") or options.get("regex")
    given.setdefault("annotation", None)
    for name in _LAST:
        if name in given:
            given[name] = given.pop(name)
    alias = given.get("alias", _Unset)
    if given.get("serialization_alias") is None and isinstance(alias, str):
        given["serialization_alias"] = alias
    if given.get("validation_alias") is None:
        given.pop("validation_alias", None)
        if alias is not _Unset:
            given["validation_alias"] = alias
    return {"default": default, **given}


class Param(_Declared):  # type: ignore[misc]  # as above
    """A single value of the path, the query, the headers or the cookies; `in_` says which.

    Args:
        default: The value if the request has none; without it (or with `...`) the parameter is required.
        options: See `ParamOptions`.
    """

    in_: ParamTypes

    @_class_options
    def __init__(self, default: Any = Undefined, **options: Unpack[FieldOptions]) -> None:
        self._declare(default, options)


class Path(Param):  # type: ignore[misc]  # as above
    """A part of the path. It is always there, so it has no default.

    Raises:
        ParameterError: A default was given.
    """

    in_ = ParamTypes.path

    @_class_options
    def __init__(self, default: Any = ..., **options: Unpack[FieldOptions]) -> None:
        if default is not ...:
            raise ParameterError("Path parameters cannot have a default value")
        self._declare(default, options)


class Query(Param):  # type: ignore[misc]  # as above
    """A parameter of the query string."""

    in_ = ParamTypes.query


class Header(Param):  # type: ignore[misc]  # as above
    """A header.

    Args:
        default: The value if the header is missing.
        convert_underscores: Whether the underscores of the Python name stand for the hyphens of the header's.
        options: See `ParamOptions`.
    """

    in_ = ParamTypes.header

    @_class_options
    def __init__(
        self, default: Any = Undefined, *, convert_underscores: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        self.convert_underscores = convert_underscores
        self._declare(default, options)


class Cookie(Param):  # type: ignore[misc]  # as above
    """A cookie."""

    in_ = ParamTypes.cookie


class Body(_Declared):  # type: ignore[misc]  # as above
    """The body, or one member of it.

    Args:
        default: The value if the request has none.
        embed: Whether the value is a member of a JSON object even if it is the only body parameter.
        media_type: The content type in the OpenAPI document.
        options: See `ParamOptions`.
    """

    @_class_options
    def __init__(
        self,
        default: Any = Undefined,
        *,
        embed: bool | None = None,
        media_type: str = "application/json",
        **options: Unpack[FieldOptions],
    ) -> None:
        self.embed = embed
        self.media_type = media_type
        self._declare(default, options)


class Form(Body):  # type: ignore[misc]  # as above
    """A field of a form, urlencoded or multipart."""

    @_class_options
    def __init__(
        self,
        default: Any = Undefined,
        *,
        media_type: str = "application/x-www-form-urlencoded",
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(default, media_type=media_type, **options)


class File(Form):  # type: ignore[misc]  # as above
    """An uploaded file of a multipart form."""

    @_class_options
    def __init__(
        self, default: Any = Undefined, *, media_type: str = "multipart/form-data", **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(default, media_type=media_type, **options)


class _OfInstances:
    """A method that the instances of a class have, and the class itself has not."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __get__(self, instance: Any, owner: type | None = None) -> Callable[..., Any]:
        if instance is None:
            raise AttributeError(self._function.__name__)
        return partial(self._function, instance)


@dataclass(frozen=True)
class Depends:
    """A value that comes from calling something, whose own parameters are read from the request in turn.

    Args:
        dependency: The callable; if it is left out, the parameter's type is called.
        use_cache: Whether uses of the same callable in one request share one call.
        scope: For a generator: whether what follows its `yield` runs before the response is sent (`"function"`) or
            after it (`"request"`, the default). `"app"`, for any callable: it is called once for the application, and
            what follows its `yield` runs when the application stops.
        max_concurrency: How many calls may run at the same time in one event loop; None for no limit.

    Raises:
        ValueError: `max_concurrency` is neither None nor an `int` of at least 1.
        DependencyScopeError: `scope="app"` beside `use_cache=False` or `max_concurrency`: there is one call.
    """

    has_app_scope: ClassVar[bool] = False
    """Whether there has been any dependency with the scope of an application in this process."""

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True
    scope: Literal["function", "request", "app"] | None = None
    max_concurrency: int | None = field(default=None, kw_only=True)
    _concurrency: _DependencyConcurrency | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        limit = self.max_concurrency
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ValueError("max_concurrency must be a positive integer or None")
        if self.scope == "app":
            if limit is not None or not self.use_cache:
                raise DependencyScopeError(
                    'A dependency with scope "app" is called once: leave out what says otherwise'
                )
            Depends.has_app_scope = True
        kept = self._concurrency
        if limit is None:
            kept = None
        elif kept is None or kept.max_concurrency != limit:
            kept = _DependencyConcurrency(limit)
        object.__setattr__(self, "_concurrency", kept)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Depends":
        """A copy with copies of what it holds. FastAPI makes one of each default."""
        refuse_in_fastapi(self)
        made = copy(self)
        for name, value in vars(self).items():
            object.__setattr__(made, name, deepcopy(value, memo))
        return made

    @_OfInstances  # as a type, in a field of a model, it is the dataclass that it is
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """The schema of the type beside it. FastAPI has it made of an annotation whose marker it doesn't know."""
        refuse_in_fastapi(self)
        return handler(source)


@dataclass(frozen=True)
class Security(Depends):
    """A dependency that checks access, with the OAuth2 scopes that it requires here.

    Args:
        scopes: The scopes, which appear in the OpenAPI document and in the `SecurityScopes` of the dependencies below.
    """

    scopes: Sequence[str] | None = None


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
