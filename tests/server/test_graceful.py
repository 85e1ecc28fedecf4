"""SIGTERM while requests and streams are in flight: all of them come to their end, and the connections close."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import socket

import pytest

from .test_other_servers import SERVERS, Served

COMMANDS = {
    "uvicorn": SERVERS["ferrapi's protocol"],
    "gunicorn": SERVERS["gunicorn"],
    "ferrapi run": ["ferrapi", "run", "other_servers_app.py", "--host", "127.0.0.1", "--port", "{port}"],
}


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_in_flight_is_answered_before_the_server_stops(name: str) -> None:
    command = COMMANDS[name]
    if importlib.util.find_spec(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = int(chosen.getsockname()[1])
    running = Served(command, port)
    with contextlib.ExitStack() as stack:
        stack.callback(running.stop)
        running.wait()
        paths = [["/slow"]] * 50 + [["/slow", "/sync", "/state"]] * 5 + [["/slow-stream"]] * 5
        connections = []
        for pipelined in paths:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in pipelined))
            connections.append(connection)
        first = connections[-1].recv(10)  # all of them have been begun
        running.process.send_signal(signal.SIGTERM)
        answers = [read_all(connection) for connection in connections]
        answers[-1] = first + answers[-1]
    assert all(answer.endswith(b'\r\n\r\n"done"') for answer in answers[:50])
    for answer in answers[50:55]:
        *others, last = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert len(others) == 2
        assert last.endswith(b'"at start-up"')
        assert [b"connection: close\r\n" in each for each in (*others, last)] == [False, False, True]
    assert all(answer.count(b"piece,") == 10 and answer.endswith(b"0\r\n\r\n") for answer in answers[55:])
    assert not [line for line in running.log if "Traceback" in line or "Exception" in line]
