"""The facade renders what FastAPI's does, step by step, and takes the same arguments."""

import inspect
import warnings
from importlib import import_module
from typing import Annotated, Any

import fastapi.openapi.utils
import pytest
from ferrapi.openapi import constants, utils
from pydantic import BaseModel

from ._cases import Framework

FUNCTIONS = [name for name in utils.__all__ if callable(getattr(utils, name))]


class Part(BaseModel):
    name: str


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_what_fastapi_takes(name: str) -> None:
    def parameters(module: Any) -> list[tuple[str, Any]]:
        return [(one.name, one.kind) for one in inspect.signature(getattr(module, name)).parameters.values()]

    assert parameters(utils) == parameters(fastapi.openapi.utils)


@pytest.mark.parametrize(
    "name", ["status_code_ranges", "validation_error_definition", "validation_error_response_definition"]
)
def test_same_tables(name: str) -> None:
    assert getattr(utils, name) == getattr(fastapi.openapi.utils, name)


def test_same_constants() -> None:
    for name in ("METHODS_WITH_BODY", "REF_PREFIX", "REF_TEMPLATE"):
        assert getattr(constants, name) == getattr(import_module("fastapi.openapi.constants"), name)


def _steps(package: str) -> dict[str, Any]:
    fw = Framework(package)
    app = fw.FastAPI()

    class Page(BaseModel):
        size: int = 1

    @app.post("/parts/{key}", tags=["t"], deprecated=True)
    def save(part: Part, key: int, page: Annotated[Page, fw.Query()], auth=fw.Depends(fw.security.HTTPBasic())) -> Part:  # type: ignore[no-untyped-def]
        """Save it."""
        return part

    steps = fw.openapi.utils
    route = next(route for route in app.routes if getattr(route, "path", "") == "/parts/{key}")
    fields = steps.get_fields_from_routes(app.routes)
    schemas, definitions = steps.get_definitions(fields=fields, model_name_map={})
    shared: dict[str, Any] = {"model_name_map": {}, "field_mapping": schemas}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        operation_id = steps.generate_operation_id(route=route, method="POST")
    return {
        "fields": sorted(field.name for field in fields),
        "schemas": sorted(map(str, schemas.values())),
        "definitions": definitions,
        "parameters": [field.name for field in steps.get_flat_params(route.dependant)],
        "path": steps.get_openapi_path(route=route, operation_ids=set(), **shared),
        "metadata": steps.get_openapi_operation_metadata(route=route, method="POST", operation_ids=set()),
        "body": steps.get_openapi_operation_request_body(body_field=route.body_field, **shared),
        "no body": steps.get_openapi_operation_request_body(body_field=None, **shared),
        "field": steps.get_schema_from_model_field(field=route.body_field, **shared),
        "titled": steps.get_schema_from_model_field(
            field=route.dependant.path_params[0], field_alias="the_key", **shared
        ),
        "summary": steps.generate_operation_summary(route=route, method="POST"),
        "id": operation_id,
        "deprecations": sorted({warning.category.__name__ for warning in caught}),
        "document": steps.get_openapi(title="T", version="1", routes=app.routes, tags=[{"name": "t"}]),
        "contexts": steps.get_openapi(title="T", version="1", routes=list(fw.routing.iter_route_contexts(app.routes))),
    }


def test_same_steps() -> None:
    steps, expected = _steps("ferrapi"), _steps("fastapi")
    for name in expected:
        assert _without_none(steps[name]) == _without_none(expected[name]), name


def _without_none(value: Any) -> Any:
    """What is left of a document in the end: FastAPI has a None here and there before."""
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list | tuple) else value


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"servers.*url"):
        utils.get_openapi(title="T", version="1", routes=[], servers=[{"description": "no URL"}])


def test_a_field_offers_what_fastapis_does() -> None:
    def offered(package: str) -> set[str]:
        app: Any = import_module(package).FastAPI()
        app.get("/x")(_with_parameter)
        (field,) = app.routes[-1].dependant.query_params
        return {name for name in dir(field) if not name.startswith("_")}

    theirs, ours = offered("fastapi"), offered("ferrapi")
    assert theirs <= ours
    assert ours - theirs == {"source_name"}


def _with_parameter(q: int) -> None: ...
