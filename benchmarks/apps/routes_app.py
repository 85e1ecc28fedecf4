"""ferrapi with as many routes as the environment variable BENCHMARK_ROUTES says; the greeting is the last of them."""

import os

from ferrapi import FastAPI

from .data import calls

app = FastAPI()


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """The counters."""
    return dict(calls)


def _add(path: str) -> None:
    @app.get(path)
    async def other(number: int) -> dict[str, int]:
        calls["other"] += 1
        return {"number": number}


for each in range(int(os.environ.get("BENCHMARK_ROUTES", "10")) - 2):
    _add(f"/others{each}/{{number}}")


@app.get("/hello")
async def hello() -> dict[str, str]:
    """A JSON greeting."""
    calls["hello"] += 1
    return {"message": "Hello, world"}
