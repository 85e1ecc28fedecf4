"""Starlette's test client; importing this needs the `httpx` package."""

from starlette.testclient import TestClient as TestClient
