"""What the transcripts share: printing what a client gets. Imported by the scripts beside."""

from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Mount

Asked = tuple[str, str, dict[str, Any]]


UNSHOWN = frozenset({"date", "content-length"})
"""Headers that are no part of a transcript."""


def ask(app: FastAPI, *requests: tuple[Any, ...], document: bool = True, unshown: frozenset[str] = frozenset()) -> None:
    """Print the answer to each request (method, path, and options of httpx), and then the OpenAPI documents.

    `unshown` are headers that change from run to run.
    """
    with TestClient(app, raise_server_exceptions=False) as client:
        for method, path, *options in requests:
            answer = client.request(method, path, **(options[0] if options else {}))
            shown = {name: value for name, value in answer.headers.items() if name not in UNSHOWN | unshown}
            print(method, path, answer.status_code, shown, answer.text)
    if document:
        describe(app)


def describe(app: Any) -> None:
    """Print the OpenAPI document of an application, and those of the ones that are mounted in it."""
    if isinstance(app, FastAPI):
        print(app.openapi())
    for route in getattr(app, "routes", []):
        if isinstance(route, Mount) and route.app is not app:
            describe(route.app)
