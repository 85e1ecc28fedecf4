"""One declaration of a set of options, shared by several functions, visible in each of them.

A function takes `**options: Unpack[SomeTypedDict]` (PEP 692), which is all that a type checker needs. At run time
such a function would show a bare `**options` and swallow misspelt names; `spell_out` gives it the signature that it
would have had with every option written down, and refuses what is not one.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ForwardRef, TypeVar, cast

from .datastructures import _Unset

__all__ = ["spell_out"]

F = TypeVar("F", bound=Callable[..., Any])


def spell_out(options: type, defaults: Mapping[str, Any]) -> Callable[[F], F]:
    """Make a function that ends in `**options` show and check the options one by one.

    Args:
        options: The TypedDict that the function unpacks.
        defaults: What the signature shows as default for those options that have one; the others show the
            "not given" marker. The function itself only sees the options that were given.

    Returns:
        A decorator that keeps the function's static type.
    """
    hints = inspect.get_annotations(options)
    shown = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name, _Unset), annotation=_readable(hint)
        )
        for name, hint in hints.items()
    ]

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
        names = hints.keys() | {parameter.name for parameter in own}

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            for name in kwargs:
                if name not in names:
                    raise TypeError(f"{function.__qualname__}() got an unexpected keyword argument {name!r}")
            return function(*args, **kwargs)

        checked.__signature__ = signature.replace(parameters=own + shown)  # type: ignore[attr-defined]  # read by inspect
        return cast(F, checked)

    return decorate


def _readable(hint: Any) -> Any:
    """A forward reference as the text that it stands for."""
    return hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
