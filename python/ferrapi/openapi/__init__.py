"""The OpenAPI document of an application and the pages that show it.

`utils` builds the document, `docs` the Swagger UI and ReDoc pages, `models` names the parts of a document.
Nothing here is imported before an application asks for its document or pages, `models` excepted, which the
security schemes need.
"""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name in {"constants", "docs", "models", "utils"}:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
