"""A router that is served without an application: what both do alike, and that ferrapi's HTTP routes answer."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from starlette.testclient import TestClient
from support.frameworks import BOTH, FASTAPI, FERRAPI, Framework


def _router(fw: Framework, log: list[str]) -> Any:
    def opened() -> Iterator[str]:
        yield "opened"
        log.append("closed")

    router = fw.APIRouter(prefix="/r")

    def yields(value: Annotated[str, fw.Depends(opened)]) -> str:
        return value

    async def form(name: Annotated[str, fw.Form()], file: Annotated[Any, fw.File()]) -> list[Any]:
        return [name, file.filename]

    def number(number: int) -> int:
        return number

    def refuses() -> None:
        raise fw.HTTPException(418, "tea")

    async def socket(websocket: Any, value: Annotated[str, fw.Depends(opened)]) -> None:
        await websocket.accept()
        await websocket.send_text(value)
        await websocket.close()

    form.__annotations__["file"] = Annotated[fw.UploadFile, fw.File()]
    socket.__annotations__["websocket"] = fw.WebSocket
    router.get("/yields")(yields)
    router.post("/form")(form)
    router.get("/number")(number)
    router.get("/refuses")(refuses)
    router.websocket("/socket")(socket)
    outer = fw.APIRouter()
    outer.include_router(router, prefix="/outer")
    outer.include_router(router)
    return outer


@pytest.mark.parametrize("prefix", ["/r", "/outer/r"])
def test_http_routes_answer(prefix: str) -> None:
    log: list[str] = []
    client = TestClient(_router(FERRAPI, log))
    assert client.get(f"{prefix}/yields").json() == "opened"
    assert log == ["closed"]
    assert client.post(f"{prefix}/form", data={"name": "a"}, files={"file": ("b.txt", b"")}).json() == ["a", "b.txt"]
    assert client.get(f"{prefix}/number?number=3").json() == 3
    with pytest.raises(FERRAPI.exceptions.RequestValidationError):
        client.get(f"{prefix}/number")
    with pytest.raises(FERRAPI.HTTPException, match="tea"):
        client.get(f"{prefix}/refuses")


@pytest.mark.parametrize("prefix", ["/r", "/outer/r"])
def test_fastapi_refuses_them(prefix: str) -> None:
    client = TestClient(_router(FASTAPI, []))
    with pytest.raises(AssertionError, match="fastapi_middleware_astack not found in request scope"):
        client.get(f"{prefix}/number?number=3")


@pytest.mark.parametrize("fw", BOTH, ids=repr)
@pytest.mark.parametrize("prefix", ["/r", "/outer/r"])
def test_websockets_and_what_no_route_takes(fw: Framework, prefix: str) -> None:
    log: list[str] = []
    client = TestClient(_router(fw, log))
    with client.websocket_connect(f"{prefix}/socket") as websocket:
        assert websocket.receive_text() == "opened"
    assert log == ["closed"]
    assert (client.get(f"{prefix}/none").status_code, client.put(f"{prefix}/number").status_code) == (404, 405)
