"""Starlette's test client; importing it needs `httpx2`, which is part of `ferrapi[standard]`."""

from starlette.testclient import TestClient as TestClient
