"""Tools give what is said at a route's place to a copy of the route, and copy that: no other route comes along."""

import copy
from typing import Any

import pytest
from support.frameworks import BOTH, Framework


class Uncopied:
    """A dependency that can't be copied."""

    def __call__(self, q: int = 1) -> int:
        return q

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("not to be copied")


def _routes(fw: Framework) -> list[Any]:
    """For each route of an included router, a deep copy of a copy to which what its place says was given."""
    inner, outer = fw.APIRouter(tags=["inner"]), fw.APIRouter()

    @inner.get("/guarded/{n}")
    def guarded(n: int, q: int = fw.Depends(Uncopied())) -> list[int]:
        return [n, q]

    @inner.post("/free", status_code=201)
    def free(value: dict[str, int]) -> dict[str, int]:
        return value

    outer.include_router(inner, prefix="/placed")
    found = []
    for route, place in fw.routing._iter_routes_with_context(outer.routes):
        made = copy.copy(route)
        for name, value in vars(place).items():
            if name not in ("original_route", "starlette_route"):
                setattr(made, name, value)
        made.app = fw.routing.request_response(made.get_route_handler())
        for _ in range(2):
            kept = (made.dependant, made.body_field)
            made = copy.deepcopy(made, {id(one): one for one in kept if one is not None})
        found.append(made)
    return found


@pytest.mark.parametrize("fw", BOTH, ids=str)
def test_copies_of_routes_with_what_their_places_say_answer(fw: Framework) -> None:
    app = fw.FastAPI()
    app.router.routes.extend(_routes(fw))
    client = fw.testclient.TestClient(app)
    assert client.get("/placed/guarded/3", params={"q": 4}).json() == [3, 4]
    assert client.get("/placed/guarded/x").status_code == 422
    answer = client.post("/placed/free", json={"a": 1})
    assert [answer.status_code, answer.json()] == [201, {"a": 1}]
    assert sorted(app.openapi()["paths"]) == ["/placed/free", "/placed/guarded/{n}"]
