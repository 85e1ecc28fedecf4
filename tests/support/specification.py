"""Whether a document is one of OpenAPI, by the schemas that the specification publishes."""

from __future__ import annotations

from typing import Any

try:
    from openapi_spec_validator import validate
except ImportError:  # an environment without what `requirements-dev.txt` names
    validate = None  # type: ignore[assignment]


def assert_valid(document: dict[str, Any]) -> None:
    """Raise unless `document` is valid, whichever version of OpenAPI it is written in."""
    if validate is not None:
        validate(document)
