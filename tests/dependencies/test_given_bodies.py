"""`request_body_to_args` with bodies that somebody has made: whatever has a `get` is asked for the parameters."""

import asyncio
from collections import ChainMap, UserDict, defaultdict
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel
from pydantic_core import PydanticUndefined
from support.frameworks import BOTH, Framework


class OwnGet(dict[str, Any]):
    def get(self, key: str, default: Any = None) -> Any:
        return {"x": 7, "y": PydanticUndefined}.get(key, super().get(key, default))


class Always(dict[str, Any]):
    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> Any:
        return 5


class OwnItem(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return 9


class Sole(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return {"x": 3}[key]

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter(["x"])


class Asked:
    def get(self, key: str, default: Any = None) -> Any:
        return 8


class Pan(BaseModel):
    v: int


BODIES: list[Any] = [
    OwnGet(), OwnGet(x=1, y=2), OwnGet(a=2), Always(), Always(x=2), OwnItem(x=1), OwnItem(), Sole(),
    defaultdict(int), UserDict(x=1), ChainMap({"x": 1}), {"x": None}, {"a": None, "x": 3}, {"x": PydanticUndefined}, {},
    None, PydanticUndefined, [], [1], "x", b"x", Asked(), {"x": {"v": 1}},
]  # fmt: skip


def declarations(fw: Framework) -> Iterator[Any]:
    """The body parameters of endpoints of all kinds."""

    def two(x: int = fw.Body(), y: int | None = fw.Body(None)) -> None: ...
    def embedded(x: int = fw.Body(embed=True)) -> None: ...
    def named(x: int = fw.Body(validation_alias=AliasChoices("a", "x")), y: int = fw.Body(4, alias="b")) -> None: ...
    def form(x: int = fw.Form(), y: list[int] = fw.Form([])) -> None: ...
    def model(x: Pan = fw.Body()) -> None: ...
    def models(x: Pan = fw.Body(), y: Pan | None = fw.Body(None)) -> None: ...

    utils = import_module(f"{fw.package}.dependencies.utils")
    for call in (two, embedded, named, form, model, models):
        yield utils.get_dependant(path="/", call=call).body_params


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{type(body).__name__} {body!r:.20}")
@pytest.mark.parametrize("embed", [False, True])
def test_parameters_are_looked_up_alike(body: Any, embed: bool) -> None:
    outcomes = []
    for fw in BOTH:
        read = import_module(f"{fw.package}.dependencies.utils").request_body_to_args
        outcomes.append([asyncio.run(read(fields, body, embed)) for fields in declarations(fw)])
    assert outcomes[1] == outcomes[0]
