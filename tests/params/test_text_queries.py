"""Scopes that were made by hand may have their query as text: Starlette takes that, and so do parameters."""

from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework


def _application(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    @app.get("/")
    async def read(a: int, b: str = "x", c: list[str] = fw.Query([])) -> Any:
        return [a, b, c]

    return app


@pytest.mark.parametrize("query", ["a=5&b=%C3%A9&c=1&c=2", "a=x", "", "a=3&b=é", "a=3&a=4", "a=1;b=2"])
def test_a_query_may_be_text(query: str) -> None:
    compare(_application, [Ask(extra={"query_string": query})], "asgi")
