"""Small functions under the names that `fastapi.utils` has; the engines live in modules named for their work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined as Undefined
from starlette.routing import Route

from ._names import names_of
from .datastructures import DefaultPlaceholder, DefaultType
from .declare.annotation import is_pydantic_v1 as annotation_is_pydantic_v1
from .declare.fields import ModelField, create_model_field
from .exceptions import FastAPIDeprecationWarning, PydanticV1NotSupportedError, RouteError

__all__ = [
    "DefaultPlaceholder",
    "DefaultType",
    "FastAPIDeprecationWarning",
    "FieldInfo",
    "Literal",
    "ModelField",
    "PydanticSchemaGenerationError",
    "PydanticV1NotSupportedError",
    "Undefined",
    "annotation_is_pydantic_v1",
    "create_model_field",
    "deep_dict_update",
    "generate_operation_id_for_path",
    "generate_unique_id",
    "get_path_param_names",
    "get_value_or_default",
    "is_body_allowed_for_status_code",
]

_RANGES = frozenset({"1XX", "2XX", "3XX", "4XX", "5XX", "default"})
_NAME_IN_BRACES = re.compile("{(.*?)}")
_NON_WORD = re.compile(r"\W")


def is_body_allowed_for_status_code(status_code: int | str | None) -> bool:
    """Whether a response with this status may have a body (RFC 9110, sections 6.4.1 and 15).

    Parameters:
        status_code: a code, or an OpenAPI range such as ``"4XX"`` or ``"default"``, or None for the default.
    """
    if status_code is None or status_code in _RANGES:
        return True
    code = int(status_code)
    return not (code < 200 or code in {204, 205, 304})


def get_path_param_names(path: str) -> set[str]:
    """The names in braces in a path template (``/{a}/{b}`` → ``{"a", "b"}``)."""
    return set(_NAME_IN_BRACES.findall(path))


def generate_operation_id_for_path(*, name: str, path: str, method: str) -> str:
    """Deprecated: an operation id from a name, a path and a method. Use `generate_unique_id`."""
    import warnings

    warnings.warn(
        "fastapi.utils.generate_operation_id_for_path() was deprecated, it is not used internally, and will be removed "
        "soon",
        category=FastAPIDeprecationWarning,
        stacklevel=2,
    )
    return f"{_NON_WORD.sub('_', name + path)}_{method.lower()}"


def generate_unique_id(route: Route) -> str:
    """The operation id of `route`: its name, path and first method, with anything but word characters as ``_``."""
    if not route.methods:
        raise RouteError(f"A route without methods has no operation id: {route.path}")
    return f"{_NON_WORD.sub('_', route.name + route.path_format)}_{next(iter(route.methods)).lower()}"


def deep_dict_update(main_dict: dict[Any, Any], update_dict: dict[Any, Any]) -> None:
    """Merge `update_dict` into `main_dict`: dictionaries are merged, lists appended, anything else replaced."""
    for key, value in update_dict.items():
        if isinstance(main_dict.get(key), dict) and isinstance(value, dict):
            deep_dict_update(main_dict[key], value)
        elif isinstance(main_dict.get(key), list) and isinstance(value, list):
            main_dict[key] = main_dict[key] + value
        else:
            main_dict[key] = value


def get_value_or_default(
    first_item: DefaultPlaceholder | DefaultType, *extra_items: DefaultPlaceholder | DefaultType
) -> DefaultPlaceholder | DefaultType:
    """The first item that was set explicitly; if none was, the first one."""
    for item in (first_item, *extra_items):
        if not isinstance(item, DefaultPlaceholder):
            return item
    return first_item


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
