"""A large upload to a real server: how much memory it takes, and whether other requests are answered meanwhile.

``FERRAPI_UPLOAD_MIB`` is the size of the upload (64 by default, 1024 for the promise), ``FERRAPI_UPLOAD_ABORTS`` the
number of uploads that are broken off (20). Both need ``/proc``.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MIB = 1024 * 1024
ABORTS = int(os.environ.get("FERRAPI_UPLOAD_ABORTS", "20"))
SIZE = int(os.environ.get("FERRAPI_UPLOAD_MIB", "64"))
GROWTH = 8 * 1024
"""The most KiB that an upload of any size may add to the process."""
HEAD = b'--cut\r\ncontent-disposition: form-data; name="file"; filename="large"\r\n\r\n'
END = b"the end.\r\n--cut--\r\n"
PROTOCOLS = ["httptools", "h11", "ferrapi.server:HttpProtocol"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@pytest.fixture(params=PROTOCOLS)
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A fresh server for each upload, since what is compared is its largest size."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        command = [sys.executable, "-m", "uvicorn", "upload_server:app", "--http", request.param]
        options = ["--fd", str(listening.fileno()), "--app-dir", str(Path(__file__).parent), "--log-level", "critical"]
        with subprocess.Popen([*command, *options], pass_fds=[listening.fileno()]) as server:
            yield listening.getsockname()[1]
            server.terminate()


def answer(connection: socket.socket) -> Any:
    """The JSON of the next response."""
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        headers = dict(line.split(": ", 1) for line in iter(lambda: file.readline().decode().rstrip("\r\n"), ""))
        body = file.read(int({name.lower(): value for name, value in headers.items()}["content-length"]))
    assert status == 200, body
    return json.loads(body)


def head(length: int, path: str = "/") -> bytes:
    """The head of a request with a form of so many bytes, and that of its part."""
    kind = "Content-Type: multipart/form-data; boundary=cut"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", kind, "", ""]).encode() + HEAD


def alive(port: int, path: str = "/alive") -> Any:
    """What the other endpoint answers, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return answer(connection)


def send(port: int, size: int) -> tuple[Any, int]:
    """Upload `size` bytes, asking for the other endpoint now and then; the answer, and how often that was."""
    block = b"x" * MIB
    every = max(size // MIB // 16, 1)
    questions = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head(len(HEAD) + size + len(END)))
        for number in range(size // MIB):
            connection.sendall(block)
            if number % every == every - 1:
                questions += 1
                alive(port)
        connection.sendall(END)
        return answer(connection), questions


def test_an_upload_of_any_size_takes_little_memory_and_holds_nobody_up(port: int) -> None:
    before = alive(port, "/begin")
    last, questions = send(port, SIZE * MIB)
    assert (last["size"], last["name"], last["end"]) == (SIZE * MIB + 8, "large", "the end.")
    assert last["asked"] - before["asked"] == questions >= min(SIZE, 16)
    growth = alive(port)["peak"] - before["memory"]
    print(f"{SIZE} MiB uploaded: {before['memory']} KiB before, {growth} KiB more at the peak")
    assert growth <= GROWTH


@pytest.mark.parametrize("complete", [False, True], ids=["half of it", "all of it"])
def test_uploads_that_are_broken_off_leave_no_file_behind(port: int, complete: bool) -> None:
    """Whether the client goes away while it sends, or while the endpoint has the file and fails."""
    size = 2 * MIB
    for _ in range(ABORTS):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                head(len(HEAD) + size + len(END), "/fails") + b"x" * (size if complete else size * 3 // 4)
            )
            if complete:
                connection.sendall(END)
                connection.recv(1)
            else:
                assert any(alive(port, "/files") for _ in range(1000))  # it is on its way
    for _ in range(1000):
        left = alive(port, "/files")
        if not left:
            break
    assert left == 0
