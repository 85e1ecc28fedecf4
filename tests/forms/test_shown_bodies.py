"""In which sequences the contents of files come."""

from collections import deque
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

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
@pytest.mark.parametrize("declared", SEQUENCES, ids=repr)
def test_contents_come_in_the_declared_kind_of_sequence(declared: Any, strict: bool | None) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        class Tray(BaseModel):
            model_config = ConfigDict(strict=strict)
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
