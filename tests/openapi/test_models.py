"""The models of a document are FastAPI's, field by field; they cost little to import."""

import inspect
import json
import subprocess
import sys
from typing import Any

import fastapi.openapi.models
import pytest
from ferrapi.openapi import models
from pydantic import BaseModel, ValidationError

NAMES = sorted(
    name
    for name, value in vars(fastapi.openapi.models).items()
    if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
)


def _without_descriptions(schema: Any) -> Any:
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key != "description" or not isinstance(value, str)}
        return {key: _without_descriptions(value) for key, value in kept.items()}
    return [_without_descriptions(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("name", NAMES)
def test_same_fields(name: str) -> None:
    expected, model = getattr(fastapi.openapi.models, name), getattr(models, name)
    assert list(model.model_fields) == list(expected.model_fields)
    schemas = [json.dumps(_without_descriptions(one.model_json_schema())) for one in (model, expected)]
    assert schemas[0] == schemas[1]


@pytest.mark.parametrize("name", NAMES)
def test_same_arguments(name: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        return [(one.name, one.kind) for one in inspect.signature(getattr(module, name)).parameters.values()]

    getattr(fastapi.openapi.models, name).model_rebuild()  # until its first use, its signature lacks the fields
    assert arguments(models) == arguments(fastapi.openapi.models)


def test_models_of_an_application_have_arguments_of_their_own() -> None:
    class Mine(models.HTTPBase):
        more: int = 1

    class Less(models.License):
        identifier: str

    assert "more" in inspect.signature(Mine).parameters
    assert inspect.signature(Less).parameters["identifier"].default is inspect.Parameter.empty
    assert Mine(scheme="x", more=2).more == 2


@pytest.mark.parametrize("name", ["ParameterInType", "SecuritySchemeType", "APIKeyIn"])
def test_same_members(name: str) -> None:
    assert {one.name: one.value for one in getattr(models, name)} == {
        one.name: one.value for one in getattr(fastapi.openapi.models, name)
    }


def test_unknown_keys_are_kept() -> None:
    scheme = models.HTTPBearer.model_validate({"bearerFormat": "JWT", "x-own": 1})
    assert scheme.model_dump(by_alias=True, mode="json", exclude_none=True) == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "x-own": 1,
    }


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_email_validator_is_not_imported_before_it_is_needed() -> None:
    code = """
import sys
from ferrapi.openapi.models import Contact, OpenAPI
OpenAPI(openapi="3.1.0", info={"title": "T", "version": "1"})
print("email_validator" in sys.modules)
Contact(email="a@example.org")
print("email_validator" in sys.modules)
"""
    assert _run(code).split() == ["False", "True"]


def test_addresses_are_checked() -> None:
    assert models.Contact(email="me@Example.org").model_dump()["email"] == "me@example.org"
    with pytest.raises(ValidationError, match="email"):
        models.Contact(email="nowhere")


def test_without_email_validator_any_text_is_an_address() -> None:
    code = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
sys.modules["email_validator"] = None
from ferrapi.openapi.models import Contact
print(Contact(email="nowhere").email)
"""
    lines = _run(code).splitlines()
    assert lines[0].startswith("WARNING ")
    assert "pip install email-validator" in lines[0]
    assert lines[1:] == ["nowhere"]
