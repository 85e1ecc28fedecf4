"""Fields of parameter models whose validation alias is a path, which can't be sent: the alias is read in its place."""

from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from support.asgi import Ask
from support.compare import Make, compare
from support.frameworks import Framework

ALIASES: dict[str, dict[str, Any]] = {
    "a path": {"validation_alias": AliasPath("p", 0)},
    "an alias and a path": {"alias": "ali-as", "validation_alias": AliasPath("p", 0)},
    "an alias and choices with a path": {"alias": "ali-as", "validation_alias": AliasChoices(AliasPath("p", 0), "c2")},
    "an alias and choices of names": {"alias": "ali-as", "validation_alias": AliasChoices("c1", "c2")},
    "choices with a path": {"validation_alias": AliasChoices("c2", AliasPath("p", 0))},
}
NAMES = (b"ali-as", b"items", b"p", b"c1", b"c2")


def made(annotation: Any, default: Any, aliases: dict[str, Any], kind: str, by_name: bool) -> Make:
    namespace = {
        "__annotations__": {"items": annotation},
        "items": Field(default, **aliases),
        "model_config": ConfigDict(extra="allow", populate_by_name=by_name),
    }
    model = type("Filter", (BaseModel,), namespace)

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def show(given: Annotated[model, getattr(fw, kind)()]) -> str:
            return repr({"items": given.items, **(given.model_extra or {})}.items())  # type: ignore[attr-defined]

        app.add_api_route("/", show, methods=["POST"])
        return app

    return make


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("kind", ["Form", "Query", "Header", "Cookie"])
@pytest.mark.parametrize("aliases", ALIASES.values(), ids=ALIASES)
def test_what_is_read(aliases: dict[str, Any], kind: str, by_name: bool) -> None:
    asks = [ask(kind, name) for name in NAMES]
    compare(made(list[int], [], aliases, kind, by_name), asks)
    compare(made(int, 0, aliases, kind, by_name), asks)


def ask(kind: str, name: bytes) -> Ask:
    pair = name + b"=5"
    if kind == "Form":
        return Ask("POST", "/", b"", [(b"content-type", b"application/x-www-form-urlencoded")], (pair,))
    if kind == "Query":
        return Ask("POST", "/", pair)
    return Ask("POST", "/", b"", [(name, b"5") if kind == "Header" else (b"cookie", pair)])
