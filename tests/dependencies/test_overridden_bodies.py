"""Overrides that take other body parameters than what they replace: whether the body has keys is the route's say."""

from typing import Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Lamp(BaseModel):
    x: int = 0


def dependencies(fw: Framework) -> dict[str, Any]:
    def nothing() -> Any: ...
    def one(x: int = fw.Body(7)) -> Any:
        return "one", x

    def two(x: int = fw.Body(7), y: int = fw.Body(8)) -> Any:
        return "two", x, y

    def key(x: int = fw.Body(7, embed=True)) -> Any:
        return "key", x

    def model(m: Lamp) -> Any:
        return "model", m.x

    def above_one_and_own(v: Any = fw.Depends(one), y: int = fw.Body(9)) -> Any:
        return "above", v, y

    def above_two(v: Any = fw.Depends(two)) -> Any:
        return "above", v

    def above_both(v: Any = fw.Depends(model), w: Any = fw.Depends(one)) -> Any:
        return "above", v, w

    def field(x: int = fw.Form(7)) -> Any:
        return "field", x

    return {name: call for name, call in locals().items() if name != "fw"}


def endpoints(fw: Framework, call: Any) -> dict[str, Any]:
    def alone(v: Any = fw.Depends(call)) -> Any:
        return v

    def beside_one(v: Any = fw.Depends(call), z: int = fw.Body(5)) -> Any:
        return v, z

    def beside_two(v: Any = fw.Depends(call), z: int = fw.Body(5), w: int = fw.Body(6)) -> Any:
        return v, z, w

    def beside_model(v: Any = fw.Depends(call), m: Lamp = fw.Body(None)) -> Any:
        return v, m

    return {"/" + name: end for name, end in locals().items() if name not in ("fw", "call")}


JSON = [(b"content-type", b"application/json")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
BODIES = [(JSON, one) for one in (b'{"x": 1}', b'{"x": 1, "y": 2, "z": 3}', b"3", b'{"m": {"x": 4}}')] + [
    (FORM, b"x=1&y=2"),
    ([], b""),
]


NAMES = list(dependencies(Framework("ferrapi")))
PAIRS = [("nothing", by) for by in NAMES] + [("one", by) for by in ("two", "key", "model", "above_two", "field")]


@pytest.mark.parametrize(("replaced", "by"), PAIRS)
def test_the_body_of_an_override_is_looked_up_alike(replaced: str, by: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        calls = dependencies(fw)
        if replaced != by:
            app.dependency_overrides[calls[replaced]] = calls[by]
        for path, end in endpoints(fw, calls[replaced]).items():
            app.post(path)(end)
        return app

    paths = ("/alone", "/beside_one", "/beside_two", "/beside_model")
    asks = [Ask("POST", path, headers=headers, body=(body,)) for path in paths for headers, body in BODIES]
    compare(make, asks, "asgi")
