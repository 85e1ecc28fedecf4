"""Signatures with their annotations evaluated.

Annotations may be strings (PEP 563, quotes), name things that exist only later, and sit behind ``functools.wraps``. A
name that can't be resolved yet stays a forward reference: pydantic resolves it, or says so, when it is needed.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from types import NoneType
from typing import Any, ForwardRef, get_args, get_origin

_STREAMS = frozenset({AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator})


def _behind(call: Any) -> Any:
    """What is called in the end, behind partials, methods and ``functools.wraps`` decorators in any order."""
    while True:
        if isinstance(call, functools.partial | functools.partialmethod):
            inner = call.func
        else:
            inner = inspect.unwrap(getattr(call, "__func__", call))  # that of a method, static or class method
        if inner is call:
            return call
        call = inner


def _namespace_of(call: Any) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The global names and the PEP 695 type parameters that `call`'s annotations were written among."""
    target = _behind(call)
    if inspect.isclass(target):
        return _namespace_of_class(target)
    if not hasattr(target, "__globals__") and callable(target):
        target = _behind(type(target).__call__)
    return getattr(target, "__globals__", {}), getattr(target, "__type_params__", ())


def _namespace_of_class(cls: type[Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The names that belong to the signature of a class: those of the function that calling the class calls.

    That is, as for `inspect.signature`, the metaclass's `__call__` if it has one of its own, else `__new__` or
    `__init__` of the first class in the order of resolution that defines either. A class that says what its signature
    is (a model does) says it among the names of its own module.
    """
    for owner in cls.__mro__:
        if "__signature__" in owner.__dict__:
            return vars(inspect.getmodule(owner) or owner), getattr(owner, "__type_params__", ())
    owner = cls
    function: Any = type(cls).__call__
    if function is type.__call__:
        for owner in cls.__mro__:
            function = owner.__dict__.get("__new__") or owner.__dict__.get("__init__")
            if function is not None:
                break
    function = _behind(function)
    names = getattr(function, "__globals__", None)
    if names is None:
        names = vars(inspect.getmodule(cls) or cls)
    return names, (*getattr(owner, "__type_params__", ()), *getattr(function, "__type_params__", ()))


def evaluate(annotation: Any, names: dict[str, Any], type_params: tuple[Any, ...] = ()) -> Any:
    """`annotation` with strings and forward references resolved where `names` has them."""
    known = {**names, **{param.__name__: param for param in type_params}} if type_params else names
    if isinstance(annotation, str):
        annotation = _value_of(annotation, known)
    if annotation is None or annotation is inspect.Signature.empty:
        return annotation
    holder = types.SimpleNamespace(__annotations__={"value": annotation}, __type_params__=type_params)
    try:
        return typing.get_type_hints(holder, known, known, include_extras=True)["value"]
    except (NameError, TypeError, AttributeError, SyntaxError):
        return annotation


def _value_of(text: str, names: dict[str, Any]) -> Any:
    """What an annotation that is written as a string says; a forward reference where a name isn't known."""

    def holder() -> None: ...

    holder.__annotations__ = {"value": text}
    try:
        value = inspect.get_annotations(holder, globals=names, locals=names, eval_str=True)["value"]
    except NameError:
        value = text
    return ForwardRef(value) if isinstance(value, str) else value


def get_typed_annotation(annotation: Any, globalns: dict[str, Any]) -> Any:
    """`annotation` evaluated in `globalns`; None stays None, also when it was written as a string."""
    if not isinstance(annotation, str):
        return annotation
    evaluated = evaluate(annotation, globalns)
    return None if evaluated is NoneType else evaluated


def get_typed_signature(call: Callable[..., Any]) -> inspect.Signature:
    """The signature of `call` with evaluated parameter annotations."""
    signature = inspect.signature(call)
    names, type_params = _namespace_of(call)
    parameters = []
    for parameter in signature.parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str) or _has_forward_reference(annotation):
            annotation = evaluate(annotation, names, type_params)
        parameters.append(parameter.replace(annotation=annotation))
    return inspect.Signature(parameters)


def _has_forward_reference(annotation: Any) -> bool:
    return isinstance(annotation, (str, ForwardRef)) or any(_has_forward_reference(arg) for arg in get_args(annotation))


def get_typed_return_annotation(call: Callable[..., Any]) -> Any:
    """The evaluated return annotation of `call`; None when there is none, too. The type of None is an annotation."""
    annotation = inspect.signature(call).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    if isinstance(annotation, str) or _has_forward_reference(annotation):
        names, type_params = _namespace_of(call)
        annotation = evaluate(annotation, names, type_params)
    return annotation


def get_stream_item_type(annotation: Any) -> Any | None:
    """The type of the items of an iterator annotation: ``AsyncIterable[Item]`` → ``Item``; None for anything else."""
    origin = get_origin(annotation)
    if origin in _STREAMS:
        args = get_args(annotation)
        return args[0] if args else Any
    return None
