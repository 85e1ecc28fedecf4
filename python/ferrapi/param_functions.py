"""The functions that applications declare parameters with: `q: int = Query(gt=0)`, `db = Depends(get_db)`.

Each makes an instance of the class of the same name in `params` and says that it returns `Any`, so that it can be
the default of a parameter of any type, or stand in an `Annotated`. The options are those of `params.ParamOptions`,
which is where they are described.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack

from pydantic_core import PydanticUndefined as Undefined

from . import params
from ._names import names_of
from .declare.spelled_out import spell_out
from .params import OPTION_DEFAULTS, ParamOptions

__all__ = ["Body", "Cookie", "Depends", "File", "Form", "Header", "Path", "Query", "Security"]

_options = spell_out(ParamOptions, OPTION_DEFAULTS)


@_options
def Path(default: Any = ..., **options: Unpack[ParamOptions]) -> Any:
    """Read a parameter from the path.

    Args:
        default: Only `...` is accepted, since a path parameter is always there.
        options: See `ParamOptions`.

    Raises:
        ParameterError: A default was given.
    """
    return params.Path(default, **options)


@_options
def Query(default: Any = Undefined, **options: Unpack[ParamOptions]) -> Any:
    """Read a parameter from the query string.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        options: See `ParamOptions`.
    """
    return params.Query(default, **options)


@_options
def Header(default: Any = Undefined, *, convert_underscores: bool = True, **options: Unpack[ParamOptions]) -> Any:
    """Read a parameter from a header.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        convert_underscores: Whether the underscores of the Python name stand for the hyphens of the header's.
        options: See `ParamOptions`.
    """
    return params.Header(default, convert_underscores=convert_underscores, **options)


@_options
def Cookie(default: Any = Undefined, **options: Unpack[ParamOptions]) -> Any:
    """Read a parameter from a cookie.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        options: See `ParamOptions`.
    """
    return params.Cookie(default, **options)


@_options
def Body(
    default: Any = Undefined,
    *,
    embed: bool | None = None,
    media_type: str = "application/json",
    **options: Unpack[ParamOptions],
) -> Any:
    """Read a parameter from the body.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        embed: Whether the value is a member of a JSON object even if it is the only body parameter.
        media_type: The content type in the OpenAPI document.
        options: See `ParamOptions`.
    """
    return params.Body(default, embed=embed, media_type=media_type, **options)


@_options
def Form(
    default: Any = Undefined,
    *,
    media_type: str = "application/x-www-form-urlencoded",
    **options: Unpack[ParamOptions],
) -> Any:
    """Read a parameter from a form field.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        media_type: The content type in the OpenAPI document.
        options: See `ParamOptions`.
    """
    return params.Form(default, media_type=media_type, **options)


@_options
def File(default: Any = Undefined, *, media_type: str = "multipart/form-data", **options: Unpack[ParamOptions]) -> Any:
    """Read a parameter from an uploaded file: as `bytes`, or as an `UploadFile`.

    Args:
        default: The value if it is missing; without a default the parameter is required.
        media_type: The content type in the OpenAPI document.
        options: See `ParamOptions`.
    """
    return params.File(default, media_type=media_type, **options)


def Depends(
    dependency: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: Literal["function", "request", "app"] | None = None,
    max_concurrency: int | None = None,
) -> Any:
    """Get a value by calling something whose own parameters are read from the request.

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
    return params.Depends(dependency=dependency, use_cache=use_cache, scope=scope, max_concurrency=max_concurrency)


def Security(
    dependency: Callable[..., Any] | None = None, *, scopes: Sequence[str] | None = None, use_cache: bool = True
) -> Any:
    """Get a value from a dependency that checks access, and document it as a security requirement.

    Args:
        dependency: The callable; if it is left out, the parameter's type is called.
        scopes: The OAuth2 scopes that are required here.
        use_cache: Whether uses of the same callable with the same scopes in one request share one call.
    """
    return params.Security(dependency=dependency, scopes=scopes, use_cache=use_cache)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
