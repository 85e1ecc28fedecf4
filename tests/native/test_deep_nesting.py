"""Deep input never ends the process: each case runs in a process of its own, on a normal and on a small thread stack.

The small stack is for ferrapi's own code: pydantic's recursion (recursive models, its serialiser), which counts to 255,
overflows it at a depth of 200, in FastAPI as well.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading, warnings
warnings.simplefilter("ignore")
sys.path[:0] = {path!r}
from support.asgi import Ask, exchange
import anyio, logging
logging.disable(logging.CRITICAL)
from typing import Any
from ferrapi import Body, FastAPI
from ferrapi._native import encode_json
from pydantic import BaseModel

class Tree(BaseModel):
    below: "Tree | None" = None

app = FastAPI()

@app.post("/any")
async def anything(body: Any = Body()) -> Any:
    return len(str(type(body)))

@app.post("/tree")
async def tree(body: Tree) -> int:
    return 1

@app.post("/dict")
async def dictionary(body: dict[str, Any]) -> int:
    return len(body)

def nested(kind, depth):
    value = 0
    for _ in range(depth):
        value = [value] if kind == "list" else {{"a": value}}
    return value

@app.get("/out/{{kind}}/{{depth}}", response_model=None)
async def out(kind: str, depth: int) -> Any:
    return nested(kind, depth)

def shape(kind, depth):
    if kind == "list":
        return b"[" * depth + b"]" * depth
    if kind == "dict":
        return b'{{"a":' * depth + b"1" + b"}}" * depth
    if kind == "open":
        return b"[" * depth
    if kind == "tree":
        return b'{{"below":' * depth + b"null" + b"}}" * depth
    return b'[{{"a":' * depth + b"1" + b"}}]" * depth

async def main():
    for depth in {depths!r}:
        for kind in {kinds!r}:
            for path in {paths!r}:
                ask = Ask("POST", path, headers=[(b"content-type", b"application/json")], body=(shape(kind, depth),))
                answer = await exchange(app, ask)
                print(depth, kind, path, answer.status)
    for depth in (10, 63, 64, 65, 200, 900):
        for kind in ("list", "dict"):
            answer = await exchange(app, Ask(path=f"/out/{{kind}}/{{depth}}"))
            print(depth, kind, "out", answer.status)

def run():
    anyio.run(main)

if {stack}:
    threading.stack_size({stack})
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
else:
    run()
print("done")
"""


def answers(stack: int, depths: list[int]) -> dict[tuple[str, ...], str]:
    """The status of each request, asked in a fresh process."""
    kinds = ["list", "dict", "open", "mixed"] if stack else ["list", "dict", "open", "mixed", "tree"]
    paths = ["/any"] if stack else ["/any", "/tree", "/dict"]
    program = PROGRAM.format(path=[sys.path[0], *sys.path], stack=stack, depths=depths, kinds=kinds, paths=paths)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    lines = done.stdout.split("\n")
    assert "done" in lines
    return {tuple(line.split()[:-1]): line.split()[-1] for line in lines if len(line.split()) == 4}


# From 3.12 on, Python's own `json` goes deeper than 256 KiB of stack can hold and ends the process, in FastAPI too.
TINY = 262_144 if sys.version_info < (3, 12) else 8 * 1024 * 1024

DEPTHS = [10, 200, 900, 990, 1500, 5_000, 100_000]


@pytest.mark.parametrize("stack", [0, TINY], ids=["normal stack", "a thread's small stack"])
def test_deep_bodies_are_answered(stack: int) -> None:
    found = answers(stack, DEPTHS)
    assert set(found.values()) <= {"200", "400", "422", "500"}
    for kind in ("list", "dict"):
        assert found["900", kind, "/any"] == "200"
    assert found["100000", "list", "/any"] == "400"
    if not stack:
        assert found["200", "tree", "/tree"] == "200"
        assert found["900", "tree", "/tree"] == "422"


def test_ten_million_brackets() -> None:
    assert set(answers(0, [10_000_000]).values()) <= {"200", "400", "422", "500"}
