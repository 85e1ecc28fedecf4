"""What people read when they have declared something wrong; tests of users match these texts."""

import functools
from typing import Annotated, Any

import pytest
from _oracle import Framework, same
from pydantic import Field


class Opaque:
    """Nothing that pydantic has a schema for."""


def ending(depends: Any) -> Any:
    """A dependency with `yield`."""
    yield depends


@pytest.mark.parametrize("kind", ["function", "partial", "object", "method"])
def test_scopes_that_do_not_fit(kind: str) -> None:
    def question(fw: Framework) -> Any:
        short = fw.param_functions.Depends(lambda: 1, scope="function")

        class Session:
            def __call__(self, engine: Annotated[int, short]) -> Any:
                yield engine

            def open(self, engine: Annotated[int, short]) -> Any:
                yield engine

        def opened(engine: Annotated[int, short], size: int = 1) -> Any:
            yield engine

        session = {
            "function": opened,
            "partial": functools.partial(opened, size=2),
            "object": Session(),
            "method": Session().open,
        }[kind]
        app = fw.applications.FastAPI()
        app.get("/", dependencies=[fw.param_functions.Depends(session)])(lambda: 1)

    outcome = same(question)
    assert outcome[0] != "value"


@pytest.mark.parametrize("source", ["Query", "Header", "Body", "Form", "Cookie"])
@pytest.mark.parametrize(
    "annotate",
    [
        lambda marker: Opaque,
        lambda marker: list[Opaque],
        lambda marker: Annotated[Opaque, marker],
        lambda marker: Annotated[list[Opaque] | None, marker],
        lambda marker: Annotated[Opaque, "note", marker],
        lambda marker: Annotated[Opaque, Field(title="it")],
        lambda marker: Annotated[Opaque, marker, Field(description="it")],
    ],
)
def test_types_without_a_schema(annotate: Any, source: str) -> None:
    def question(fw: Framework) -> Any:
        def endpoint(thing: Any) -> None: ...

        endpoint.__annotations__["thing"] = annotate(getattr(fw.param_functions, source)())
        fw.applications.FastAPI().post("/")(endpoint)

    assert same(question)[0] != "value"


@pytest.mark.parametrize("options", [{"title": ""}, {"title": None}, {"version": ""}, {"version": None}])
@pytest.mark.parametrize("openapi_url", ["/openapi.json", "", None])
def test_title_and_version_are_needed_for_a_document_only(options: dict[str, Any], openapi_url: str | None) -> None:
    def question(fw: Framework) -> Any:
        try:
            app = fw.applications.FastAPI(openapi_url=openapi_url, **options)
        except AssertionError as error:
            raise ValueError(str(error)) from None
        return app.title, app.version, len(app.routes)

    assert (same(question)[0] == "value") is (not openapi_url)


@pytest.mark.parametrize("endpoint", [None, 5, "endpoint"])
def test_web_sockets_of_what_can_not_be_called(endpoint: Any) -> None:
    assert same(lambda fw: fw.applications.FastAPI().websocket("/")(endpoint))[1] == "TypeError"
    assert same(lambda fw: getattr(fw, "dependencies.utils").get_dependant(path="/", call=endpoint))[1] == "TypeError"
