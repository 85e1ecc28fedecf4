"""What the transcripts share: printing what a client gets. Imported by the scripts beside."""

from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

Asked = tuple[str, str, dict[str, Any]]


def ask(app: FastAPI, *requests: tuple[Any, ...], document: bool = True) -> None:
    """Print the answer to each request (method, path, and options of httpx), and then the OpenAPI document."""
    with TestClient(app, raise_server_exceptions=False) as client:
        for method, path, *options in requests:
            answer = client.request(method, path, **(options[0] if options else {}))
            shown = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
            print(method, path, answer.status_code, shown, answer.text)
    if document:
        print(app.openapi())
