"""Fields of parameter models that may be sent under several names, in every source."""

import inspect
import itertools
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

SOURCES = ("Query", "Header", "Cookie", "Form")
TYPES = {"int": int, "str": str, "list of int": list[int], "list of str": list[str], "str or None": str | None}
VALUES: tuple[tuple[str, ...], ...] = ((), ("",), ("v",), ("7",), ("", "7"), ("7", ""))
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
CHOICES = AliasChoices("first", "second")


def _asks(source: str) -> list[Ask]:
    asks = []
    for values in itertools.product(VALUES, VALUES, ((), ("",), ("9",))):
        names = ("first", "second", "own")
        pairs = [f"{name}={value}".encode() for name, some in zip(names, values, strict=True) for value in some]
        if source == "Query":
            asks.append(Ask("POST", query=b"&".join(pairs)))
        elif source == "Form":
            asks.append(Ask("POST", headers=FORM, body=[b"&".join(pairs)]))
        elif source == "Cookie":
            asks.append(Ask("POST", headers=[(b"cookie", b"; ".join(pairs))]))
        else:
            asks.append(
                Ask("POST", headers=[(name, value) for name, _, value in (pair.partition(b"=") for pair in pairs)])
            )
    return asks


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("extra", ["ignore", "forbid", None])
@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("source", SOURCES)
def test_each_name_is_looked_for_alike(source: str, type_: str, extra: Any, required: bool) -> None:
    """A model with `extra`, or without one the parameter itself."""
    annotation: Any = TYPES[type_]

    def make(fw: Framework, log: list[Any]) -> Any:
        class Model(BaseModel):
            model_config = ConfigDict(extra=extra or "ignore", populate_by_name=True)
            own: annotation = Field(... if required else None, validation_alias=CHOICES)

        def endpoint(value: Any) -> None:
            log.append(repr(value))

        declare = getattr(fw, source)
        declared = Annotated[Model, declare()] if extra else Annotated[annotation, declare(validation_alias=CHOICES)]
        default = inspect.Parameter.empty if required or extra else None
        parameter = inspect.Parameter("value", inspect.Parameter.KEYWORD_ONLY, annotation=declared, default=default)
        endpoint.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]  # read by both
        app = fw.FastAPI()
        app.post("/")(endpoint)
        return app

    compare(make, _asks(source), "asgi")
