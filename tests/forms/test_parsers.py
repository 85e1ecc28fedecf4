"""Forms as the native parser reads them, against Starlette and python-multipart, on random bodies in random pieces.

``FERRAPI_FORM_CASES`` is the number of bodies of each kind (3,000 by default), ``FERRAPI_FORM_SEED`` where to begin.
"""

import gc
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from ferrapi.declare.limits import FormBounds
from ferrapi.serve.exchange import Exchange
from ferrapi.serve.form import parse_form
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from support.asgi import run

from . import bodies

CASES = int(os.environ.get("FERRAPI_FORM_CASES", "3000"))
SEED = int(os.environ.get("FERRAPI_FORM_SEED", "1"))


def _scope(form: bodies.Form) -> dict[str, Any]:
    headers = [(b"content-type", form.content_type)]
    return {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b"", "app": object()}


def _receive(pieces: list[bytes]) -> Callable[[], Any]:
    left = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    left[-1]["more_body"] = False

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return receive


async def _send(message: Any) -> None:
    raise AssertionError(message)


async def _shown(form: FormData) -> list[Any]:
    """The parts of a form as plain values, in order."""
    found: list[Any] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            at = value.file.tell()
            found.append(
                (name, value.filename, value.size, value.content_type, value.headers.raw, at, await value.read())
            )
        else:
            found.append((name, value))
    await form.close()
    return found


async def _starlette(form: bodies.Form) -> Any:
    """What Starlette says about the body in one piece."""
    request = Request(_scope(form), _receive([form.body]))
    limits = {"max_files": form.max_files, "max_fields": form.max_fields, "max_part_size": form.max_part_size}
    try:
        return await _shown(await request.form(**limits))
    except HTTPException as exc:
        return exc.status_code, exc.detail
    except Exception as exc:
        return type(exc).__name__


async def _ferrapi(form: bodies.Form, pieces: list[bytes]) -> Any:
    x = Exchange(_scope(form), _receive(pieces), _send)
    try:
        return await _shown(await parse_form(x, FormBounds(form.max_files, form.max_fields, form.max_part_size)))
    except HTTPException as exc:
        return exc.status_code, exc.detail
    except Exception as exc:
        return type(exc).__name__


# Starlette leaves a file open whose part the body didn't finish.
@pytest.mark.filterwarnings("ignore:Unclosed file", "ignore:Exception ignored in.*SpooledTemporaryFile")
@pytest.mark.parametrize("make", [bodies.urlencoded, bodies.multipart], ids=["urlencoded", "multipart"])
def test_the_native_parser_reads_every_form_as_starlette_does(make: Callable[[random.Random], bodies.Form]) -> None:
    async def main() -> None:
        for number in range(SEED, SEED + CASES):
            rng = random.Random(number)
            form = make(rng)
            pieces = bodies.cut(rng, form.body)
            expected, actual = await _starlette(form), await _ferrapi(form, pieces)
            assert actual == expected, f"seed {number}: {form} in {pieces}"

    run(main)


def test_no_file_stays_open() -> None:
    """Whatever becomes of a form, its files are closed (an open one would be a warning, and so an error)."""

    async def main() -> None:
        for number in range(300):
            rng = random.Random(number)
            form = bodies.multipart(rng)
            await _ferrapi(form, bodies.cut(rng, form.body))

    run(main)
    gc.collect()


@pytest.mark.filterwarnings("ignore:Unclosed file", "ignore:Exception ignored in.*SpooledTemporaryFile")
def test_the_random_bodies_are_of_all_kinds() -> None:
    """The comparison would prove little if most bodies were refused, or none."""

    async def main() -> dict[str, int]:
        seen: dict[str, int] = {}
        for number in range(400):
            answer = await _starlette(bodies.multipart(random.Random(number)))
            kind = answer[1].split(".")[0] if isinstance(answer, tuple) else "parts" if answer else "empty"
            seen[kind] = seen.get(kind, 0) + 1
        return seen

    seen = run(main)
    assert seen["parts"] > 100
    assert {"Invalid multipart data", "Missing boundary in multipart", "empty"} <= seen.keys()
    assert any(kind.startswith("Too many") for kind in seen)
    assert any(kind.startswith("Part exceeded") for kind in seen)
