"""How the store is deployed, run on this machine by `make deployment`; it needs programs that are not everywhere."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "tests" / "examples", ROOT / "tests" / "deployment"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

WANTED = "FERRAPI_DEPLOYMENT"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves everything here out unless it was asked for."""
    if WANTED not in os.environ:
        reason = pytest.mark.skip(reason="`make deployment` runs this: it needs nginx, Traefik and linters")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(reason)


@pytest.fixture
def store_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a store on a database file with sample data."""
    from example_server import STORE
    from store_client import sample_data

    file = tmp_path / "shop.sqlite3"
    file.write_bytes(sample_data())
    return {**os.environ, **STORE, "STORE_DATABASE_URL": f"sqlite:///{file}"}
