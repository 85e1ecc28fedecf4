"""Who replaces what begins calls in threads is called for each of them, as in FastAPI, whenever that was."""

import json
import subprocess
import sys
from typing import Any

import pytest

_PROGRAM = """
import asyncio, functools, json, sys
from collections import Counter

seen, counts = [], []

def note(module, name):
    own = getattr(module, name)
    async def noted(*args, **options):
        seen.append(name)
        return await own(*args, **options)
    setattr(module, name, noted)
    return lambda: setattr(module, name, own)

BEFORE
ALIAS
import anyio.to_thread, fastapi, fastapi.concurrency, fastapi.dependencies.utils, fastapi.routing, httpx
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

class Item(BaseModel):
    size: int

app = FastAPI()

def number():
    return 1

def resource():
    yield 2

@app.get("/sync")
def sync(a: int = Depends(number), b: int = Depends(resource)):
    return a + b

@app.get("/model")
def model() -> Item:
    return Item(size=1)

@app.get("/async")
async def asynchronous(a: int = Depends(number), b: int = Depends(resource)):
    return a + b

@app.get("/later")
async def later(tasks: BackgroundTasks):
    tasks.add_task(number)

@app.get("/stream")
def stream():
    return StreamingResponse(iter([b"a", b"b"]))

@app.get("/wrong")
def wrong():
    raise ValueError

@app.exception_handler(ValueError)
def handle(request, error):
    return JSONResponse(1, 500)

async def ask():
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://unit.test") as client:
        for path in ("sync", "model", "async", "later", "stream", "wrong"):
            seen.clear()
            answer = await client.get("/" + path)
            counts.append([path, answer.status_code, answer.text, Counter(seen)])

asyncio.run(ask())
AFTER
print(json.dumps(counts))
"""

_WHILE_IT_RUNS = """
for module, name in [(fastapi.routing, "run_in_threadpool"), (fastapi.dependencies.utils, "run_in_threadpool"),
                     (fastapi.concurrency, "run_in_threadpool"), (anyio.to_thread, "run_sync")]:
    counts.append([module.__name__])
    take_back = note(module, name)
    asyncio.run(ask())
    take_back()
asyncio.run(ask())
"""
_MOMENTS: dict[str, tuple[str, str]] = {
    "while it runs": ("", _WHILE_IT_RUNS),
    "Starlette's, before the import": (
        "import starlette.concurrency; note(starlette.concurrency, 'run_in_threadpool')",
        "",
    ),
    "anyio's, before the import": ("import anyio.to_thread; note(anyio.to_thread, 'run_sync')", ""),
}


@pytest.mark.parametrize("moment", _MOMENTS)
def test_calls_in_threads_are_seen(moment: str) -> None:
    before, after = _MOMENTS[moment]
    said: list[Any] = []
    for alias in ("", "import ferrapi.as_fastapi"):
        program = _PROGRAM.replace("BEFORE", before).replace("AFTER", after).replace("ALIAS", alias)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[1] == said[0]
    assert any(count[-1] for count in said[0])
