"""Forms of mounted applications, which the stack of the application around closes if that has middleware."""

from typing import Annotated, Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

FORM = b'--x\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\n\r\nabc\r\n--x--\r\n'
BODIES = [
    ([(b"content-type", b"multipart/form-data; boundary=x")], FORM),
    ([(b"content-type", b"application/x-www-form-urlencoded")], b"a=5"),
    ([(b"content-type", b"application/json")], b"{}"),
    ([], b""),
]
ASKS = [
    Ask("POST", f"/mounted/{path}", headers=headers, body=(body,))
    for path in ("taken", "bytes", "request", "broken", "refused", "handler")
    for headers, body in BODIES
]


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("outer", [False, True])
def test_forms_are_closed_when_all_is_over(outer: bool, inner: bool) -> None:
    """`outer` and `inner` say which application has middleware."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app, mounted = fw.FastAPI(), fw.FastAPI()

        async def function(request: Any, call_next: Any) -> Any:
            return await call_next(request)

        if outer:
            app.middleware("http")(function)
        if inner:
            mounted.middleware("http")(function)
        kept: list[Any] = []

        @mounted.post("/taken")
        async def taken(f: fw.UploadFile, a: Annotated[int, fw.Form()] = 1) -> Any:
            kept.append(f)
            return [f.file.closed, a]

        @mounted.post("/bytes")
        def contents(f: Annotated[bytes, fw.File()] = b"", a: Annotated[int, fw.Form()] = 1) -> Any:
            return [len(f), a]

        @mounted.post("/request")
        async def request(request: fw.Request, a: Annotated[int, fw.Form()] = 1) -> Any:
            return [a, len(await request.form())]

        @mounted.post("/broken")
        async def broken(f: fw.UploadFile | None = None) -> None:
            kept.append(f)
            raise ValueError("broken")

        @mounted.post("/refused")
        async def refused(f: fw.UploadFile, q: int) -> None:
            pass

        @mounted.exception_handler(KeyError)
        async def handled(request: Any, exc: KeyError) -> Any:
            return fw.responses.PlainTextResponse("handled", 418)

        @mounted.post("/handler")
        async def raises(f: fw.UploadFile | None = None) -> None:
            raise KeyError("key")

        @mounted.get("/kept")
        async def are_closed() -> Any:
            return [file.file.closed for file in kept if file is not None]

        app.mount("/mounted", mounted)
        return app

    found = compare(make, [*ASKS, Ask("GET", "/mounted/kept")])
    assert found[-1].body == b"[true,true]"
    assert {answer.status for answer in found} == {200, 418, 422, 500}
