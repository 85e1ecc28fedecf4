"""What the document of a version says beyond what its routes say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.routing import BaseRoute

from ._version import Versioning


def mark(document: dict[str, Any], routes: Sequence[BaseRoute], versioning: Versioning, version: str) -> None:
    """Say in a document how requests name its version, and whether that is deprecated.

    Parameters:
        document: the document, which is changed.
        routes: the routes that it was made from, at their places.
        versioning: the versions.
        version: the document's version.
    """
    is_deprecated = versioning.known[version].deprecated is not None
    for operation in _versioned(document, routes):
        if is_deprecated:
            operation["deprecated"] = True
        if versioning.by == "header":
            operation.setdefault("parameters", []).append(_header(versioning, version))
        elif versioning.by == "media_type":
            for response in operation["responses"].values():
                if "content" in response:
                    named = f"; {versioning.field}={version}"
                    response["content"] = {kind + named: one for kind, one in response["content"].items()}


def _header(versioning: Versioning, version: str) -> dict[str, Any]:
    return {
        "name": versioning.field,
        "in": "header",
        "required": version != versioning.default,
        "description": "The version of the API.",
        "schema": {"type": "string", "enum": [version], "default": version},
    }


def _versioned(document: dict[str, Any], routes: Sequence[BaseRoute]) -> Iterator[dict[str, Any]]:
    """The operations of routes that have versions, each once."""
    seen: set[tuple[str, str]] = set()
    for route in routes:
        path = getattr(route, "path_format", "")
        for method in getattr(route, "methods", None) or ():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is None or (path, method) in seen:
                continue
            seen.add((path, method))
            if getattr(route, "versions", None) is not None:
                yield operation
