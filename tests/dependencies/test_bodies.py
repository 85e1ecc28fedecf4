"""Body parameters of one name in several callables: each has the whole body, or its key, as it says itself."""

import itertools
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

JSON = [(b"content-type", b"application/json")]
BODIES = [b"", b"1", b'{"p": 1}', b'{"p": {"q": 1}}', b'{"q": 1}']


class Item(BaseModel):
    q: int = 0


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("embed", list(itertools.product((None, True, False), repeat=2)), ids=str)
def test_each_callable_decides_for_itself(embed: tuple[bool | None, bool | None], depth: int) -> None:
    for own, below in itertools.product((int, Item, dict), repeat=2):

        def make(fw: Framework, log: list[Any], own: Any = own, below: Any = below) -> Any:
            def dependency(p: Any = None) -> str:
                return repr(p)

            def between(found: str = fw.Depends(dependency)) -> str:
                return found

            def endpoint(p: Any = None, found: str = fw.Depends(dependency if depth == 1 else between)) -> list[str]:
                return [repr(p), found]

            dependency.__annotations__["p"] = Annotated[below, fw.Body(embed=embed[1])]
            endpoint.__annotations__["p"] = Annotated[own, fw.Body(embed=embed[0])]
            app = fw.FastAPI(openapi_url=None)
            app.post("/")(endpoint)
            return app

        compare(make, [Ask("POST", headers=JSON, body=[body]) for body in BODIES], "asgi")
