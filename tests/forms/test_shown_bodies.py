"""What handlers of validation errors see of a form, and in which sequences the contents of files come."""

from collections import deque
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework
from support.naming import steady_name

URLENCODED = [(b"content-type", b"application/x-www-form-urlencoded")]
MULTIPART = [(b"content-type", b"multipart/form-data; boundary=edge")]


def part(name: str, content: str, filename: str | None = None) -> bytes:
    """One part of a form."""
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--edge\r\ncontent-disposition: form-data; name="{name}"{file}\r\n\r\n{content}\r\n'.encode()


def show_refusals(fw: Framework, app: Any) -> None:
    """Answer validation errors with all that they say."""

    @app.exception_handler(fw.exceptions.RequestValidationError)
    async def refused(request: Any, exc: Any) -> Any:
        body = exc.body
        shown = [type(body).__name__, *(sorted(body.multi_items(), key=str) if body is not None else ())]
        return fw.responses.PlainTextResponse(repr((exc.errors(), shown)), 422)


@pytest.mark.parametrize("declared", [str, int, list[int], set[str], bytes, str | None], ids=steady_name)
@pytest.mark.parametrize("is_late", [False, True])
def test_errors_of_other_parameters_show_the_form(declared: Any, is_late: bool) -> None:
    """The form was right, so that it was read in one go; what is wrong stands elsewhere in the request."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        show_refusals(fw, app)

        def plates(plates: int) -> int:
            return plates

        def endpoint(wood: Any = fw.Form("oak"), table: Any = fw.Depends(plates), glasses: int = 0) -> Any:
            return [repr(wood), table, glasses]

        endpoint.__annotations__["wood"] = declared
        app.post("/table", dependencies=[fw.Depends(plates)] if is_late else [])(endpoint)
        return app

    compare(
        make,
        [
            Ask("POST", "/table", query, URLENCODED, [body])
            for query in (b"", b"plates=x", b"plates=4&glasses=x", b"plates=4")
            for body in (b"wood=7", b"wood=7&wood=8&legs=4", b"", b"legs=4", b"wood=%C3%A9&legs=")
        ],
    )


def test_a_form_is_still_there_when_a_dependency_changes_the_overrides() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        show_refusals(fw, app)

        def lamp() -> str:
            return "lamp"

        def shade(colour: int) -> str:
            return f"shade {colour}"

        def switch(on: bool = False) -> None:
            app.dependency_overrides = {lamp: shade} if on else {}

        @app.post("/light", dependencies=[fw.Depends(switch)])
        def endpoint(watts: Annotated[int, fw.Form()], source: Annotated[str, fw.Depends(lamp)]) -> Any:
            return [watts, source]

        return app

    compare(
        make,
        [
            Ask("POST", "/light", query, URLENCODED, [b"watts=60"])
            for query in (b"", b"on=1&colour=2", b"on=1", b"on=0", b"on=1&colour=x")
        ],
    )


SEQUENCES: list[Any] = [
    list[bytes],
    set[bytes],
    frozenset[bytes],
    tuple[bytes, bytes],
    tuple[bytes, ...],
    deque[bytes],
    set[bytes] | None,
]


@pytest.mark.parametrize("strict", [None, True])
@pytest.mark.parametrize("declared", SEQUENCES, ids=steady_name)
def test_contents_come_in_the_declared_kind_of_sequence(declared: Any, strict: bool | None) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Tray(BaseModel):
            model_config = ConfigDict(strict=strict)  # type: ignore[typeddict-item]
            cups: declared = fw.File()

        app = fw.FastAPI()
        show_refusals(fw, app)

        @app.post("/field")
        async def field(cups: Annotated[declared, fw.File(strict=strict)]) -> Any:
            return [type(cups).__name__, sorted(map(repr, cups))]

        @app.post("/model")
        async def model(tray: Annotated[Tray, fw.Form()]) -> Any:
            return [type(tray.cups).__name__, sorted(map(repr, tray.cups))]

        return app

    texts = [part("cups", "a"), part("cups", "b")]
    files = [part("cups", "a", "a.txt"), part("cups", "b", "b.txt"), part("cups", "c", "c.txt")]
    compare(
        make,
        [
            Ask("POST", path, b"", MULTIPART, [b"".join(parts) + b"--edge--\r\n"])
            for path in ("/field", "/model")
            for parts in (texts[:1], texts)
        ]
        + [
            Ask("POST", "/field", b"", MULTIPART, [b"".join(parts) + b"--edge--\r\n"])
            for parts in ([files[0], texts[1]], [*texts, texts[0]])
        ],
    )
    succeeding = [
        Ask("POST", path, b"", MULTIPART, [b"".join(files[:2]) + b"--edge--\r\n"]) for path in ("/field", "/model")
    ]
    compare(make, succeeding)
