"""Prefect's server: what a client gets of an empty database, and the documents."""

import os
import tempfile

home = tempfile.mkdtemp()
os.environ["PREFECT_HOME"] = home
os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{home}/prefect.db"

from asking import ask  # noqa: E402  # below, the environment is read
from prefect.server.api.server import create_app  # noqa: E402

ask(
    create_app(ephemeral=True),
    *(("GET", f"/api/{path}") for path in ("health", "ready", "hello", "admin/version", "flows/none", "nope")),
    ("POST", "/api/flows/", {"json": {}}),
    ("POST", "/api/flows/filter", {"json": {"limit": "x"}}),
    ("POST", "/api/flows/count", {"json": {}}),
    ("POST", "/api/variables/", {"json": {"name": "V"}}),
)
