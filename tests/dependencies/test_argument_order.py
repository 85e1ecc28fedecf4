"""The order of keyword arguments, which an endpoint with ``**`` sees: parameters, the body, objects of the exchange."""

import inspect
import random
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
JSON = [(b"content-type", b"application/json")]


class Model(BaseModel):
    a: int = 1


def declared(fw: Framework) -> dict[str, Any]:
    """Parameters by name; those of more than one class are validated by Python code."""
    return {
        "query": Annotated[int, fw.Query()],
        "queried": Annotated[type[int] | int, fw.Query()],
        "header": Annotated[str, fw.Header()],
        "cookie": Annotated[str, fw.Cookie()],
        "part": Annotated[int, fw.Path()],
        "needed": Annotated[int, fw.Depends(lambda: 1)],
        "request": fw.Request,
        "response": fw.Response,
        "form": Annotated[str, fw.Form()],
        "amount": Annotated[Decimal, fw.Form()],
        "body": Annotated[Model, fw.Body()],
        "bodies": Annotated[list[Model], fw.Body()],
    }


@pytest.mark.parametrize(
    "body", [("form",), ("form", "amount"), ("body",), ("bodies",), ("body", "bodies"), ()], ids=str
)
@pytest.mark.parametrize("seed", range(6))
def test_keyword_arguments_come_in_one_order(seed: int, body: tuple[str, ...]) -> None:
    chosen = random.Random(seed)
    others = ["query", "queried", "header", "cookie", "part", "needed", "request", "response"]
    names = [*chosen.sample(others, 4), *body, "queried"]
    names = chosen.sample(sorted(set(names)), len(set(names)))

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        annotations = declared(fw)

        def take(**arguments: Any) -> Any:
            return list(arguments)

        keyword = inspect.Parameter.KEYWORD_ONLY
        signature = [inspect.Parameter(name, keyword, annotation=annotations[name]) for name in names]
        take.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
        app.post("/{part}")(take)
        return app

    sent = {"body": b'{"a": 2}', "bodies": b'[{"a": 2}]'}
    if body == ("body", "bodies"):
        content = b'{"body": {"a": 2}, "bodies": [{"a": 2}]}'
    else:
        content = sent.get(body[0], b"form=x&amount=1.5") if body else b""
    headers = [*(FORM if "form" in body else JSON), (b"header", b"x"), (b"cookie", b"cookie=1")]
    if "part" not in names:
        names.append("part")
    compare(make, [Ask("POST", "/5", b"query=1&queried=2", headers=headers, body=(content,))])


@pytest.mark.parametrize("sent", [b"", b"last=5", b"first=1", b"first=1&last=5", b"other=2", b"a=1&last=5"])
@pytest.mark.parametrize("kind", ["endpoint", "dependency", "form"])
def test_defaults_have_their_places_among_the_others(kind: str, sent: bytes) -> None:
    """Whoever makes a key of keyword arguments gets the same one, whether a default was sent or not."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        place = fw.Form if kind == "form" else fw.Query

        def take(**arguments: Any) -> Any:
            return {name: value for name, value in arguments.items() if not isinstance(value, Model)}

        keyword = inspect.Parameter.KEYWORD_ONLY
        annotations: dict[str, tuple[Any, Any]] = {
            "first": (Annotated[int, place()], 1),
            "header": (Annotated[str, fw.Header()], "h"),
            "other": (Annotated[int, place(default_factory=lambda: 2)], inspect.Parameter.empty),
            "last": (Annotated[int, place()], 3),
            "cookie": (Annotated[str, fw.Cookie()], "c"),
        }
        take.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, keyword, annotation=a, default=d) for name, (a, d) in annotations.items()]
        )
        if kind == "dependency":
            app.post("/")(lambda found=fw.Depends(take): found)
        else:
            app.post("/")(take)
        return app

    asks = [
        Ask("POST", "/", sent, headers, (sent,))
        for headers in (FORM, [*FORM, (b"header", b"x")], [*FORM, (b"cookie", b"cookie=1")])
    ]
    compare(make, asks)
