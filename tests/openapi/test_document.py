"""An application's document is the same text, key by key, as FastAPI's, and so are the warnings about it."""

import json
import warnings
from typing import Any

import pytest

from . import _body_cases, _parameter_cases, _response_cases, _routing_cases, _security_cases
from ._cases import Framework, cases

__all__ = ["_body_cases", "_parameter_cases", "_response_cases", "_routing_cases", "_security_cases"]


def _document(package: str, name: str) -> tuple[str, list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app: Any = cases[name](Framework(package))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        document = app.openapi()
    return json.dumps(document, indent=1), sorted(str(warning.message) for warning in caught)


@pytest.mark.parametrize("name", sorted(cases))
def test_document(name: str) -> None:
    expected, expected_warnings = _document("fastapi", name)
    document, warned = _document("ferrapi", name)
    assert document == expected
    assert warned == expected_warnings


@pytest.mark.parametrize("name", sorted(cases))
def test_the_document_of_the_same_routes_is_the_same_again(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app: Any = cases[name](Framework("ferrapi"))
        first = app.openapi()
        app.openapi_schema = None
        assert app.openapi() == first
