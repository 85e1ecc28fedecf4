"""Prefect's server: what a client gets of an empty database, and the documents (with `min_items` as `min_length`)."""

import os
import tempfile
from collections.abc import Callable
from typing import Any

import fastapi

home = tempfile.mkdtemp()
os.environ["PREFECT_HOME"] = home
os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{home}/prefect.db"


def renamed(declare: Callable[..., Any]) -> Callable[..., Any]:
    """`Body` with two names that Prefect 3.8.8 says and FastAPI 0.165.0 has no longer: without them neither imports."""

    def body(*args: Any, **options: Any) -> Any:
        for end in ("min", "max"):
            if f"{end}_items" in options:
                options[f"{end}_length"] = options.pop(f"{end}_items")
        return declare(*args, **options)

    return body


fastapi.Body = renamed(fastapi.Body)

from asking import ask  # noqa: E402  # below, the environment is read
from prefect.server.api.server import create_app  # noqa: E402

ask(
    create_app(ephemeral=True),
    *(("GET", f"/api/{path}") for path in ("health", "ready", "hello", "admin/version", "flows/none", "nope")),
    ("POST", "/api/flows/", {"json": {}}),
    ("POST", "/api/flows/filter", {"json": {"limit": "x"}}),
    ("POST", "/api/flows/count", {"json": {}}),
    ("POST", "/api/variables/", {"json": {"name": "V"}}),
    ("POST", "/api/v2/concurrency_limits/increment", {"json": {"names": [], "slots": 1}}),
    ("POST", "/api/ui/flows/count-deployments", {"json": {"flow_ids": []}}),
)
