"""How often pydantic builds schemas for a document: code of the application may take part in that."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, GetPydanticSchema
from support.frameworks import FASTAPI, FERRAPI, Framework

WAYS = ("response", "additional response", "body", "query")


def _builds(fw: Framework, way: str, separate: bool, routes: int) -> int:
    """How often a type's schema was asked for while the document of so many routes was made."""
    count = 0

    def schema(source: Any, handler: Any) -> Any:
        nonlocal count
        count += 1
        return handler(int)

    class Part(BaseModel):
        number: Annotated[int, GetPydanticSchema(schema)] = 1

    class Whole(BaseModel):
        part: Part
        parts: list[Part]

    app: Any = fw.FastAPI(separate_input_output_schemas=separate)
    for number in range(routes):
        for name, type_ in {"whole": Whole, "parts": list[Part], "part": Part | None}.items():

            def serve(value: Any) -> None: ...

            if way == "response":
                app.get(f"/{name}{number}", response_model=type_)(lambda: None)
            elif way == "additional response":
                app.get(f"/{name}{number}", responses={404: {"model": type_}})(lambda: None)
            elif way == "body":
                serve.__annotations__ = {"value": type_}
                app.post(f"/{name}{number}")(serve)
            else:
                serve.__annotations__ = {"value": Annotated[Part, fw.Query()]}
                app.get(f"/{name}{number}")(serve)
    count = 0
    app.openapi()
    return count


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_a_shared_model_costs_no_more_schemas_the_more_routes_share_it(way: str, separate: bool) -> None:
    theirs, ours = ([_builds(fw, way, separate, routes) for routes in (1, 6)] for fw in (FASTAPI, FERRAPI))
    assert theirs[0] == theirs[1]
    assert ours[0] == ours[1] <= theirs[0]
