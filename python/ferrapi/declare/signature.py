"""Signatures with their annotations evaluated.

Annotations may be strings (PEP 563, quotes), name things that exist only later, and sit behind ``functools.wraps``. A
name that can't be resolved yet stays a forward reference: pydantic resolves it, or says so, when it is needed.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from types import NoneType
from typing import Any, ForwardRef, get_args, get_origin

_STREAMS = frozenset({AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator})


def evaluate(annotation: Any, names: dict[str, Any], type_params: tuple[Any, ...] = ()) -> Any:
    """`annotation` with strings and forward references resolved where `names` has them.

    A string that can't be resolved as a whole becomes a forward reference.
    """
    known = {**names, **{param.__name__: param for param in type_params}} if type_params else names
    if annotation is None or annotation is inspect.Signature.empty:
        return annotation
    holder = types.SimpleNamespace(__annotations__={"value": annotation}, __type_params__=type_params)
    try:
        value = typing.get_type_hints(holder, known, known, include_extras=True)["value"]
    except (NameError, AttributeError, SyntaxError):
        return ForwardRef(annotation) if isinstance(annotation, str) else annotation
    return None if annotation == "None" else value


def get_typed_annotation(annotation: Any, globalns: dict[str, Any]) -> Any:
    """`annotation` evaluated in `globalns`; None stays None, also when it was written as a string."""
    if not isinstance(annotation, str):
        return annotation
    evaluated = evaluate(annotation, globalns)
    return None if evaluated is NoneType else evaluated


def _signature_of(call: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any], tuple[Any, ...]]:
    """The signature, and the global names and PEP 695 type parameters for the strings that are left in it.

    Each annotation is evaluated once where it was written. If one of them names something unknown, none is; and what
    names anything then, or is a string in a string, is looked up among the globals of what `call` wraps. A partial, a
    class or an object has none.
    """
    try:
        signature = inspect.signature(call, eval_str=True)
    except NameError:
        signature = inspect.signature(call)
    target = inspect.unwrap(call)
    return signature, getattr(target, "__globals__", {}), getattr(target, "__type_params__", ())


def get_typed_signature(call: Callable[..., Any]) -> inspect.Signature:
    """The signature of `call` with evaluated parameter annotations."""
    signature, names, type_params = _signature_of(call)
    parameters = []
    for parameter in signature.parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str):
            annotation = evaluate(annotation, names, type_params)
        parameters.append(parameter.replace(annotation=annotation))
    return inspect.Signature(parameters)


def get_typed_return_annotation(call: Callable[..., Any]) -> Any:
    """The evaluated return annotation of `call`; None when there is none, too. The type of None is an annotation."""
    signature, names, type_params = _signature_of(call)
    annotation = signature.return_annotation
    if annotation is inspect.Signature.empty:
        return None
    return evaluate(annotation, names, type_params) if isinstance(annotation, str) else annotation


def get_stream_item_type(annotation: Any) -> Any | None:
    """The type of the items of an iterator annotation: ``AsyncIterable[Item]`` → ``Item``; None for anything else."""
    origin = get_origin(annotation)
    if origin in _STREAMS:
        args = get_args(annotation)
        return args[0] if args else Any
    return None
