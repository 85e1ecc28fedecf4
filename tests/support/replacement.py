"""A wrapper in the place of a method, function or class, which counts how often it is called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

SENTINEL = object()


class Replacement:
    """A wrapper in the place of an attribute, which counts its calls."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name, self.calls = owner, name, 0
        self.own = vars(owner).get(name, SENTINEL)
        try:
            original: Any = inspect.getattr_static(owner, name)
        except AttributeError:  # a module has it without having imported it
            original = getattr(owner, name)
        is_property = isinstance(original, property)
        self.replacement = property(self._wrap(original.fget)) if is_property else self._wrap(original)

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        if isinstance(original, type):
            return self._subclass(original)
        if inspect.iscoroutinefunction(original) and len(inspect.signature(original).parameters) == 4:

            @functools.wraps(original)
            async def served(self_: Any, scope: Any, receive: Any, send: Any) -> None:
                self.calls += 1
                await original(self_, scope, receive, send)

            return served
        if inspect.iscoroutinefunction(original):

            @functools.wraps(original)
            async def replaced(*args: Any, **kwargs: Any) -> Any:
                self.calls += 1
                return await original(*args, **kwargs)

            return replaced

        @functools.wraps(original)
        def called(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return original(*args, **kwargs)

        return called

    def _subclass(self, original: Any) -> type:
        initialize = original.__init__

        def __init__(made: Any, *args: Any, **kwargs: Any) -> None:
            self.calls += 1
            initialize(made, *args, **kwargs)

        return type(original.__name__, (original,), {"__init__": __init__, "__module__": original.__module__})

    def install(self, _: Any = None) -> None:
        setattr(self.owner, self.name, self.replacement)

    def remove(self, _: Any = None) -> None:
        if self.own is SENTINEL:
            if self.name in vars(self.owner):
                delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.own)
