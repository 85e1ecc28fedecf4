"""How deep dependencies may go is up to the application, not to Python's recursion limit."""

from collections.abc import Callable
from typing import Annotated, Any

from ferrapi import Depends, FastAPI
from ferrapi.testclient import TestClient

DEPTH = 5_000


def _above(below: Callable[..., Any]) -> Callable[..., Any]:
    async def dependency(value: int = Depends(below)) -> int:
        return value + 1

    return dependency


def test_a_chain_of_thousands_is_registered_run_and_documented() -> None:
    async def bottom(start: int) -> int:
        return start

    top: Callable[..., Any] = bottom
    for _ in range(DEPTH):
        top = _above(top)
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(top)]) -> int:
        return value

    client = TestClient(app)
    assert client.get("/", params={"start": "7"}).json() == DEPTH + 7
    assert client.get("/").json()["detail"][0]["loc"] == ["query", "start"]
    (parameter,) = client.get("/openapi.json").json()["paths"]["/"]["get"]["parameters"]
    assert parameter["name"] == "start"
