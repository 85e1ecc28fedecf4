"""Without the private names of another package, ferrapi answers as with them: by a public way."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
from ferrapi._compat import anyio, asyncio, pydantic, starlette, uvicorn
from packaging.version import Version

PROGRAM = Path(__file__).parent / "answering.py"
HIDDEN = {
    "starlette: paths and callables": "starlette._utils.get_route_path starlette._utils.is_async_callable",
    "starlette: middleware": "starlette.middleware.base._CachedRequest starlette.middleware.base._StreamingResponse",
    "starlette: the limit of bodies": (
        "starlette.middleware.body_limit._RequestBodyTooLarge "
        "starlette.middleware.body_limit._RequestBodyLimitResponseSent"
    ),
    "anyio: tasks": "anyio._backends._asyncio._task_states",
    "anyio: threads": "anyio._core._eventloop.threadlocals",
    "asyncio: tasks inside of each other": "asyncio._enter_task asyncio._leave_task",
    "asyncio: the running loop": "asyncio._get_running_loop",
    "uvicorn: cycles": "uvicorn.protocols.http.httptools_impl",
}


@cache
def answers(hidden: str) -> list[str]:
    """What `answering.py` prints."""
    command = [sys.executable, "-W", "error", str(PROGRAM), hidden]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("names", HIDDEN.values(), ids=HIDDEN)
def test_without_private_names_all_is_answered(names: str) -> None:
    expected = answers("")
    assert len(expected) == 31
    assert answers(names) == expected


@pytest.mark.parametrize("module", [anyio, asyncio, pydantic, starlette, uvicorn], ids=lambda module: module.__name__)
def test_each_module_says_what_it_was_tested_with(module: object) -> None:
    oldest, newest = module.TESTED  # type: ignore[attr-defined]
    assert Version(oldest) <= Version(newest)


@pytest.mark.skipif(
    not Version(anyio.TESTED[0]) <= Version(".".join(version("anyio").split(".")[:2])) <= Version(anyio.TESTED[1]),
    reason="not a release of anyio that the private names were tested with",
)
def test_each_tested_release_of_anyio_has_what_threads_of_our_own_need() -> None:
    assert anyio.threads() is not None
    assert anyio.task_states() is not None


def test_a_field_of_another_pydantic_is_asked_what_it_was_told() -> None:
    """No `FieldInfo` can be without the attribute here, so one without it stands in."""
    from pydantic.fields import FieldInfo

    info = FieldInfo(alias="other", title="Other", default=3)
    told = dict(pydantic.attributes_set(info))
    del info._attributes_set
    assert pydantic.attributes_set(info).items() >= told.items()
    pydantic.set_attributes(info, {"title": "None"})
    assert not hasattr(info, "_attributes_set")
