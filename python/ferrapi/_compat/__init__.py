"""What ferrapi takes of other packages without their having promised it, one module per package; and `fastapi._compat`.

`starlette`, `anyio`, `asyncio`, `pydantic` and `uvicorn` each name the releases that they were tested with. Where a
private name is gone, a public way that is slower or does less takes its place; it is never an `ImportError`.

The names of this package itself are FastAPI's private module about pydantic, for libraries that import it. ferrapi
doesn't use them: `shared` and `v2` show what `ferrapi.dependencies` and `ferrapi.openapi` do under FastAPI's names.
They are imported when somebody asks.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES: dict[str, str] = {
    "pydantic": "PydanticSchemaGenerationError",
    "pydantic_core": "PydanticUndefined=Undefined PydanticUndefined=RequiredParam Url",
    "pydantic_core.core_schema": "with_info_plain_validator_function",
    f"{__name__}.shared": (
        "PYDANTIC_VERSION_MINOR_TUPLE annotation_is_pydantic_v1 field_annotation_is_scalar "
        "field_annotation_is_scalar_sequence field_annotation_is_sequence is_bytes_or_nonable_bytes_annotation "
        "is_bytes_sequence_annotation is_pydantic_v1_model_instance is_uploadfile_or_nonable_uploadfile_annotation "
        "is_uploadfile_sequence_annotation lenient_issubclass sequence_types value_is_sequence"
    ),
    f"{__name__}.v2": (
        "ModelField copy_field_info create_body_model evaluate_forwardref get_cached_model_fields get_definitions "
        "get_flat_models_from_fields get_missing_field_error get_model_name_map get_schema_from_model_field "
        "is_scalar_field serialize_sequence_value"
    ),
}
"""By the module that they are in, the names of `fastapi._compat`; ``there=here`` for one of another name."""

_ORIGINS: dict[str, tuple[str, str]] = {
    name.rpartition("=")[2]: (home, name.partition("=")[0]) for home, names in _NAMES.items() for name in names.split()
}

__all__ = sorted(_ORIGINS)  # noqa: PLE0605  # they are found by `__getattr__`


def __getattr__(name: str) -> Any:
    try:
        home, original = _ORIGINS[name]
    except KeyError:
        if name in ("shared", "v2"):
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name) from None
    return getattr(import_module(home), original)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ORIGINS, "shared", "v2"})
