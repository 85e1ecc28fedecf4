"""The store, served, for programs that know nothing of it but its OpenAPI document: `make clients` runs these tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WANTED = "FERRAPI_CLIENTS"
"""The environment variable that says where Node's packages are installed; without it these tests are skipped."""

for folder in (ROOT, ROOT / "tests" / "examples"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves everything here out unless it was asked for."""
    if WANTED in os.environ:
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="`make clients` runs this: it needs Node and Schemathesis"))


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where Node's packages are."""
    return Path(os.environ[WANTED]).resolve()


@pytest.fixture(scope="module", params=["asgi", "http1"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a new store with sample data, through each way in."""
    from example_server import STORE, Server, transport_arguments
    from store_client import sample_data

    file = tmp_path_factory.mktemp("store") / "shop.sqlite3"
    file.write_bytes(sample_data())
    environment = {**STORE, "STORE_DATABASE_URL": f"sqlite:///{file}"}
    with Server("examples.store.main:app", environment, transport_arguments(request.param)) as server:
        yield server.url
