"""One declaration of a set of options, shared by several functions, visible in each of them.

A function takes `**options: Unpack[SomeTypedDict]` (PEP 692), which is all that a type checker needs. At run time
such a function would show a bare `**options` and swallow misspelt names; `spell_out` gives it the signature that it
would have had with every option written down, and refuses what is not one. What the options mean is said once, too, in
the TypedDict's docstring: it takes the place of the entry ``options:`` in the docstring of each function.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ForwardRef, TypeVar, cast

from ..datastructures import _Unset

__all__ = ["spell_out"]

F = TypeVar("F", bound=Callable[..., Any])


def spell_out(options: type, defaults: Mapping[str, Any], *described: type) -> Callable[[F], F]:
    """Make a function that ends in `**options` show and check the options one by one.

    Args:
        options: The TypedDict that the function unpacks.
        defaults: What the signature shows as default for those options that have one; the others show the
            "not given" marker. The function itself only sees the options that were given.
        described: The TypedDicts that `options` is made of, if it does not describe all options itself.

    Returns:
        A decorator that keeps the function's static type.
    """
    hints = inspect.get_annotations(options)
    entries = [entry for part in (described or (options,)) for entry in _entries(part.__doc__ or "", hints)]
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
                    raise TypeError(f"{_called(function, args)}() got an unexpected keyword argument {name!r}")
            return function(*args, **kwargs)

        checked.__signature__ = signature.replace(parameters=own + shown)  # type: ignore[attr-defined]  # read by inspect
        checked.__doc__ = _with_options(function.__doc__, entries)
        return cast(F, checked)

    return decorate


def _called(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """What has been called, by the name that whoever has called it used: a class may have inherited the function."""
    if function.__name__ == "__init__":
        for owner in type(args[0]).__mro__:
            if owner.__module__ == function.__module__:
                return f"{owner.__qualname__}.__init__"
    return function.__qualname__


def _readable(hint: Any) -> Any:
    """A forward reference as the text that it stands for."""
    return hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint


_ENTRY = re.compile(r"(?P<indent> +)(?P<names>\w+(?:, \w+)*): \S")


def _entries(text: str, known: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a docstring that describe options, continuation lines among them, without indentation."""
    margin: int | None = None
    for line in text.splitlines():
        found = _ENTRY.match(line)
        if found is not None and known.keys() >= set(found["names"].split(", ")):
            margin = len(found["indent"])
        elif margin is None or not line.startswith(" " * (margin + 1)):
            margin = None
            continue
        yield line[margin:]


def _with_options(text: str | None, entries: list[str]) -> str | None:
    """A docstring with the description of each option in the place of its entry ``options:``."""
    lines: list[str] = []
    margin: str | None = None
    for line in (text or "").splitlines():
        if margin is not None and line.startswith(f"{margin} "):
            continue
        margin = None
        if line.lstrip().startswith("options: "):
            margin = line[: len(line) - len(line.lstrip())]
            lines += [margin + entry for entry in entries]
        else:
            lines.append(line)
    return text if text is None else "\n".join(lines)
