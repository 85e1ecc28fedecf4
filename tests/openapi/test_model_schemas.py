"""JSON schemas of the models of documents, for applications that return one."""

from typing import Any

import fastapi.openapi.models as theirs
import ferrapi.openapi.models as ours
import pytest

MODELS = sorted(name for name, value in vars(theirs).items() if hasattr(value, "model_json_schema"))


@pytest.mark.parametrize("name", MODELS)
def test_schemas_of_models_are_the_same(name: str) -> None:
    model: Any = getattr(theirs, name)
    if name == "BaseModel":
        return
    assert getattr(ours, name).model_json_schema() == model.model_json_schema()
