"""Phoenix's REST API: how it refuses what is invalid, and its document."""

from asking import ask
from fastapi import FastAPI
from phoenix.server.api.routers import create_v1_router

app = FastAPI()
app.include_router(create_v1_router(authentication_enabled=False))
invalid = {"json": {"data": [{"a": 1}]}}
ask(
    app,
    *(("GET", f"/v1/{path}") for path in ("nope", "projects?limit=x", "datasets?limit=0", "prompts?limit=x")),
    *(("POST", f"/v1/{path}", invalid) for path in ("span_annotations?sync=x", "prompts", "projects", "traces")),
)
