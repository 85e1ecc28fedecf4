"""Models that are made anew, or edited, after routes have been declared with them."""

from typing import Any

import pytest
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

JSON = [(b"content-type", b"application/json")]
ASKS = [Ask("POST", path, headers=JSON, body=(body,)) for path in ("/whole", "/list") for body in (
    b'{"w": 3}', b'{"w": "s"}', b'[{"w": 3}]', b'{"w": 3, "z": 4}',
)] + [Ask("GET", "/query", query) for query in (b"w=3", b"w=s", b"w=3&z=5")] + [Ask("GET", "/answer")]  # fmt: skip


def rebuild(model: type[BaseModel]) -> None:
    model.model_fields["v"].annotation = str
    model.model_rebuild(force=True)


def extend(model: type[BaseModel]) -> None:
    model.model_fields["z"] = FieldInfo(annotation=int, default=7)
    model.model_rebuild(force=True)


def forget(model: type[BaseModel]) -> None:
    model.__pydantic_core_schema__ = None  # type: ignore[assignment]  # what no one should do


def spoil(model: type[BaseModel]) -> None:
    model.__pydantic_core_schema__ = {}  # what no one should do


def leave(model: type[BaseModel]) -> None: ...


@pytest.mark.parametrize("edit", [leave, rebuild, extend, forget, spoil])
@pytest.mark.parametrize("included", [False, True])
def test_routes_keep_what_they_were_declared_with(edit: Any, included: bool) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Bowl(BaseModel):
            v: int | None = Field(None, validation_alias="w")

        app = fw.FastAPI()
        router = fw.APIRouter() if included else app

        @router.post("/whole")
        def whole(x: Bowl | None = None) -> Any:
            return repr(x)

        @router.post("/list")
        def many(x: list[Bowl]) -> Any:
            return repr(x)

        @router.get("/query")
        def query(x: Bowl = fw.Query()) -> Any:
            return repr(x)

        @router.get("/answer")
        def answer() -> Bowl:
            return Bowl(w=1)  # type: ignore[call-arg]  # its alias

        if included:
            app.include_router(router)
        edit(Bowl)
        return app

    compare(make, ASKS, "asgi")
