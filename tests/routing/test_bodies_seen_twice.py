"""Whoever is given the request may read the body that the parameters were read from."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


class Plain(BaseModel):
    a: int


class Checked(BaseModel):
    a: float | int


JSON = [(b"content-type", b"application/json")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


def application(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    async def seen(request: fw.Request) -> Any:
        found: list[Any] = []
        for read in ("body", "json", "form"):
            try:
                what = await getattr(request, read)()
                found.append(
                    [read, what.decode() if read == "body" else list(what.items()) if read == "form" else what]
                )
            except Exception as exc:
                found.append([read, type(exc).__name__])
        try:
            found.append([chunk.decode() async for chunk in request.stream()])
        except Exception as exc:
            found.append(type(exc).__name__)
        return found

    for kind in (Plain, Checked, dict[str, int], Any):

        @app.post(f"/{getattr(kind, '__name__', 'any')}/dependency")
        async def by_dependency(value: Annotated[kind, fw.Body()], found: Any = fw.Depends(seen)) -> Any:
            return [value, found]

        @app.post(f"/{getattr(kind, '__name__', 'any')}/endpoint")
        async def by_endpoint(value: Annotated[kind, fw.Body()], request: fw.Request) -> Any:
            return [value, await seen(request)]

    @app.post("/form/dependency")
    async def form_by_dependency(a: Annotated[int, fw.Form()], found: Any = fw.Depends(seen)) -> Any:
        return [a, found]

    @app.post("/form/endpoint")
    async def form_by_endpoint(a: Annotated[int, fw.Form()], request: fw.Request) -> Any:
        return [a, await seen(request)]

    return app


@pytest.mark.parametrize("where", ["dependency", "endpoint"])
@pytest.mark.parametrize("kind", ["Plain", "Checked", "dict", "Any", "any", "form"])
def test_the_request_has_the_body_too(kind: str, where: str) -> None:
    bodies = [[b'{"a":1}'], [b'{"a"', b":2}"], [b"a=1"], [b""], [b"x"]]
    compare(
        application,
        [Ask("POST", f"/{kind}/{where}", headers=headers, body=body) for headers in (JSON, FORM) for body in bodies],
    )
