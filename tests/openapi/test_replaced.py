"""What users replace in `applications` and `openapi.utils` is used from then on, with FastAPI's arguments."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework

PAGES = {
    "get_swagger_ui_html": "/docs",
    "get_redoc_html": "/redoc",
    "get_swagger_ui_oauth2_redirect_html": "/docs/oauth2-redirect",
    "get_openapi": "/openapi.json",
}


DESCRIBING = ("generate_operation_summary", "get_openapi_operation_metadata")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = [
        (module, name, getattr(module, name))
        for fw in BOTH
        for module, names in (
            (fw.applications, PAGES),
            (fw.openapi.utils, ("validation_error_definition", "validation_error_response_definition", *DESCRIBING)),
        )
        for name in names
    ]
    copies = deepcopy([value for _, _, value in before if isinstance(value, dict)])
    yield
    for module, name, value in before:
        if isinstance(value, dict):
            value.clear()
            value.update(copies.pop(0))
        setattr(module, name, value)


def _answer(name: str, log: list[Any]) -> Any:
    def answer(*args: Any, **options: Any) -> Any:
        log.append((args, sorted((key, str(value)) for key, value in options.items() if key != "routes")))
        return {"mine": 1} if name == "get_openapi" else PlainTextResponse(name)

    return answer


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("before", [True, False])
def test_functions_of_applications(name: str, before: bool) -> None:
    """Replaced before the application is made, or after that; `webhooks` and the rest arrive as in FastAPI."""

    def make(fw: Framework, log: list[Any]) -> Any:
        if before:
            setattr(fw.applications, name, _answer(name, log))
        app = fw.FastAPI(title="It", root_path_in_servers=False)
        if not before:
            setattr(fw.applications, name, _answer(name, log))
        return app

    answers = compare(make, [Ask("GET", PAGES[name])])
    assert answers[0].status == 200
    assert answers[0].log


def _documented(fw: Framework, edit: Any) -> Any:
    edit(fw.openapi.utils)
    app = fw.FastAPI()

    @app.get("/")
    def read(n: int) -> None: ...

    return app.openapi()["components"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda utils: utils.validation_error_response_definition.update(properties={"mine": {"type": "string"}}),
        lambda utils: utils.validation_error_definition.update(title="Mine"),
        lambda utils: setattr(utils, "validation_error_response_definition", {"type": "object", "title": "Mine"}),
        lambda utils: setattr(utils, "validation_error_definition", {"type": "string"}),
    ],
)
def test_schemas_of_validation_errors(edit: Any) -> None:
    """Also the usual ones stay as they are: an edit of one document's schema is no edit of the next one's."""
    expected, actual = (_documented(fw, edit) for fw in BOTH)
    assert actual == expected
    assert "Mine" in str(actual) or "mine" in str(actual) or "'ValidationError': {'type': 'string'}" in str(actual)


@pytest.mark.parametrize("name", DESCRIBING)
def test_functions_that_describe_operations(name: str) -> None:
    """They are called for each operation; what they return is in the document."""

    def make(fw: Framework, log: list[Any]) -> Any:
        own = getattr(fw.openapi.utils, name)

        def replaced(**options: Any) -> Any:
            log.append((*options, options["method"]))
            made = own(**options)
            return made.upper() if isinstance(made, str) else {**made, "x-mine": 1}

        setattr(fw.openapi.utils, name, replaced)
        app = fw.FastAPI()
        app.get("/a")(lambda: 1)
        app.post("/a")(lambda: 1)
        app.get("/b", summary="said")(lambda: 1)
        return app

    answer = compare(make, [Ask("GET", "/openapi.json")])[0]
    assert len(answer.log) == 3
