"""Nothing of the environment decides what is recorded; without OpenTelemetry's SDK there is nothing to compare."""

import gc
import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("opentelemetry.sdk") else ["test_[!w]*.py"]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "FASTAPI_OTEL_")):
            monkeypatch.delenv(name)
    yield
    gc.collect()  # while an application records, all others of the process are watched
