"""Type aliases that the public signatures share.

Nothing here exists at run time beyond the aliases themselves; import them to annotate code that wraps ferrapi.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar, Union

from pydantic import BaseModel

__all__ = ["DecoratedCallable", "DependencyCacheKey", "IncEx", "ModelNameMap", "UnionType"]

DecoratedCallable = TypeVar("DecoratedCallable", bound=Callable[..., Any])
"""A function that a decorator such as `@app.get(...)` returns unchanged."""

IncEx = set[int] | set[str] | Mapping[int, Union["IncEx", bool]] | Mapping[str, Union["IncEx", bool]]
"""What `include` and `exclude` accept: names or indices, or a mapping of them to the same thing one level deeper."""

UnionType = types.UnionType
"""The type of `int | str`."""

ModelNameMap = dict[type[BaseModel] | type[Enum], str]
"""The name under which each model or enum appears in the OpenAPI document."""

DependencyCacheKey = tuple[Callable[..., Any] | None, tuple[str, ...], str]
"""What makes two uses of a dependency the same call: the callable, the security scopes in effect, its `scope`."""
