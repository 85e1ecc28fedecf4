"""Response model options that name no field: an empty `include` leaves everything out, an empty `exclude` nothing."""

from typing import Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Item(BaseModel):
    number: int = 1
    parts: list[int] = [1, 2]


MODELS = {
    "Any": Any,
    "dict": dict,
    "dict of int": dict[str, int],
    "model": Item,
    "list": list[int],
    "models": list[Item],
}
CONTENTS: dict[str, Any] = {
    "Any": {"number": 1, "more": [1]},
    "dict": {"number": 1},
    "dict of int": {"number": 1, "more": 2},
    "model": Item(),
    "list": [1, 2, 3],
    "models": [Item(), Item(number=3)],
}
EMPTY: tuple[Any, ...] = (set(), {}, [], (), None, 0, "")


@pytest.mark.parametrize("option", ["response_model_include", "response_model_exclude"])
@pytest.mark.parametrize("name", MODELS)
def test_an_empty_filter_is_a_filter(name: str, option: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        for index, empty in enumerate(EMPTY):
            app.get(f"/{index}", response_model=MODELS[name], **{option: empty})(lambda: CONTENTS[name])
        return app

    compare(make, [Ask(path=f"/{index}") for index in range(len(EMPTY))])
