"""A dependency in the annotation and a declaration as the default: the dependency counts alone."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from support.asgi import Ask
from support.compare import compare, compare_documents, registration
from support.frameworks import Framework


class Page(BaseModel):
    """A dependency that is a class."""

    number: int


def seven() -> int:
    return 7


ANNOTATIONS: dict[str, Any] = {
    "dependency": lambda fw: Annotated[int, fw.Depends(seven)],
    "security": lambda fw: Annotated[int, fw.Security(seven, scopes=["a"])],
    "class": lambda fw: Annotated[Page, fw.Depends()],
    "field, dependency": lambda fw: Annotated[int, Field(gt=9), fw.Depends(seven)],
    "query, dependency": lambda fw: Annotated[int, fw.Query(alias="other"), fw.Depends(seven)],
}
DEFAULTS: dict[str, Any] = {
    "query": lambda fw: fw.Query(3),
    "required header": lambda fw: fw.Header(),
    "path": lambda fw: fw.Path(),
    "body": lambda fw: fw.Body(3),
    "form": lambda fw: fw.Form(3),
    "file": lambda fw: fw.File(),
    "field": lambda fw: Field(3),
    "number": lambda fw: 3,
}


def application(fw: Framework, log: list[Any], annotation: str, default: str) -> Any:
    app = fw.FastAPI()

    def endpoint(value: Any = None) -> Any:
        return value

    endpoint.__annotations__ = {"value": ANNOTATIONS[annotation](fw)}
    endpoint.__defaults__ = (DEFAULTS[default](fw),)
    app.post("/")(endpoint)
    return app


@pytest.mark.parametrize("default", DEFAULTS)
@pytest.mark.parametrize("annotation", ANNOTATIONS)
def test_the_dependency_counts_alone(annotation: str, default: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        return application(fw, log, annotation, default)

    compare(make, [Ask("POST"), Ask("POST", query=b"value=1&other=2&number=4", body=[b"5"])])
    compare_documents(make)


@pytest.mark.parametrize("default", ["depends", "security"])
def test_two_dependencies_are_refused(default: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        def endpoint(value: Annotated[int, fw.Depends(seven)] = getattr(fw, default.title())(seven)) -> None: ...

        return fw.FastAPI().get("/")(endpoint)

    theirs, ours = registration(make)
    assert theirs[1:] == ours[1:] == (True, False)
