"""Schemathesis makes requests from the store's document, good and bad ones; none of them is a server error."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

SEED = "20260101"
EXAMPLES = "5"
ACCOUNTS = [None, "staff@shop.example.com"]


def _headers(store: str, account: str | None) -> list[str]:
    if account is None:
        return []
    answer = httpx2.post(f"{store}/login", data={"username": account, "password": "brilliant-cut"})
    return ["--header", f"Authorization: Bearer {answer.json()['access_token']}"]


@pytest.mark.parametrize("account", ACCOUNTS, ids=["a stranger", "the staff"])
def test_no_request_that_is_made_from_the_document_is_a_server_error(
    store: str, account: str | None, tmp_path: Path
) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    asked = ["run", f"{store}/openapi.json", "--checks", "not_a_server_error", "--seed", SEED]
    asked += ["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, *_headers(store, account)]
    done = subprocess.run([str(program), *asked], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert " passed" in done.stdout
