"""Models of the old ``pydantic.v1`` namespace: where they are refused by name, and what becomes of the others."""

import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework

pytestmark = [
    pytest.mark.skipif(sys.version_info >= (3, 14), reason="there is no pydantic.v1 on Python 3.14"),
    pytest.mark.filterwarnings("ignore"),
]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    v1: Any = pytest.importorskip("pydantic.v1")

if sys.version_info < (3, 14):

    class Old(v1.BaseModel):
        number: int

    TYPES: list[Any] = [
        Old,
        v1.SecretStr,
        v1.conint(gt=1),
        list[Old],
        set[Old],
        deque[Old],
        tuple[int, Old],
        Sequence[Old],
        int | Old,
        list[Old] | None,
        list[Old | None],
        dict[str, Old],
        Mapping[str, Old],
        list[dict[str, Old]],
        dict[str, Old] | None,
        Annotated[Old, "note"],
        Annotated[list[Old], "note"],
        Annotated[Old, "note"] | None,
        list[Annotated[Old, "note"]],
        type[Old],
        Iterable[Old],
        Callable[[Old], int],
    ]
else:
    TYPES = []


def applications(annotation: Any) -> dict[str, Callable[[Framework, list[Any]], Any]]:
    """Applications with this type as a parameter, a body, and what is returned."""

    def with_parameter(fw: Framework, log: list[Any]) -> Any:
        def take(x: Any) -> Any:
            return type(x).__name__

        take.__annotations__ = {"x": annotation}
        app = fw.FastAPI()
        app.post("/")(take)
        return app

    def with_body(fw: Framework, log: list[Any]) -> Any:
        def take(x: Any = fw.Body()) -> Any:
            return type(x).__name__

        take.__annotations__ = {"x": annotation}
        app = fw.FastAPI()
        app.post("/")(take)
        return app

    def returned(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.post("/", response_model=annotation)(lambda: {"number": 1})
        return app

    return {"parameter": with_parameter, "body": with_body, "returned": returned}


JSON = [(b"content-type", b"application/json")]
ASKS = [
    Ask("POST", "/", headers=JSON, body=(body,)) for body in (b'{"number": 1}', b'{"k": {"number": 1}}', b"{}", b"[]")
]


@pytest.mark.parametrize("place", ["parameter", "body", "returned"])
@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_models_of_pydantic_1(annotation: Any, place: str) -> None:
    make = applications(annotation)[place]

    def ending(fw: Framework) -> str:
        try:
            make(fw, [])
        except Exception as exc:
            return f"{type(exc).__name__}: {exc}"
        return ""

    theirs, ours = map(ending, BOTH)
    assert ours == theirs
    if not ours:
        compare(make, ASKS)
