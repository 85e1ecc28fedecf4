"""JSONTestSuite: for each of its files, the decision and the value that FastAPI gives on the same Python.

The files (github.com/nst/JSONTestSuite, MIT) are not part of this repository; `FERRAPI_JSON_SUITE` names the folder
that holds `test_parsing/`. `make conformance` sets it.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import Framework

SETTING = "FERRAPI_JSON_SUITE"


def _files() -> list[Any]:
    folder = os.environ.get(SETTING)
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{SETTING} doesn't name JSONTestSuite's folder"))]
    files = sorted(Path(folder, "test_parsing").glob("*.json"))
    if not files:
        raise FileNotFoundError(f"{SETTING}={folder}: there are no files in its test_parsing/")
    return [pytest.param(file, id=file.stem) for file in files]


def _any_value(fw: Framework, log: list[Any]) -> Any:
    """One route that takes any JSON value and notes it; the answer itself carries none, so that NaN may pass."""
    app = fw.FastAPI()

    def put(value: Any = fw.Body()) -> Any:
        log.append(repr(value))
        return fw.Response(status_code=200)

    app.post("/")(put)
    return app


@pytest.mark.parametrize("file", _files())
def test_same_decision_and_value(file: Path) -> None:
    """Accepted or refused alike (status and error body), and if accepted, with an equal value of equal types."""
    body = file.read_bytes()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    answers = compare(_any_value, [Ask("POST", "/", headers=headers, body=[body])])
    assert answers[0].status in (200, 400, 422)
