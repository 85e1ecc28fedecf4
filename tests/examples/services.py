"""PostgreSQL and Redis as Debian installs them (`apt-get install postgresql redis-server`), started for the tests.

Each runs in a temporary folder, at a port of its own, as long as the block that asked for it.
"""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

WANTED = "STORE_TEST_SERVICES"
REASON = "`make store-services` runs this: it needs PostgreSQL and Redis"
HOST = "127.0.0.1"
PLACES = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
real_services = pytest.mark.skipif(WANTED not in os.environ, reason=REASON)


class ServiceMissing(Exception):
    """A program is not installed, or has ended before it was ready; the message says which, or is its log."""


def program(name: str) -> str:
    """Returns the path of a server's program."""
    found = shutil.which(name, path=os.pathsep.join([*PLACES, os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        raise ServiceMissing(f"there is no {name}: apt-get install postgresql redis-server nginx-light")
    return found


def free_port() -> int:
    """Returns a port that nobody listens at."""
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        return int(chosen.getsockname()[1])


@contextmanager
def running(command: Sequence[str], ready: str, user: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """Runs a program from the line that says it is ready until the end of the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user)
    assert process.stdout is not None
    log = []
    for line in process.stdout:
        log.append(line)
        if ready in line:
            break
    else:
        raise ServiceMissing("".join(log))
    reader = threading.Thread(target=log.extend, args=(process.stdout,))
    reader.start()
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        reader.join()
        process.stdout.close()


@contextmanager
def postgres() -> Iterator[str]:
    """Runs PostgreSQL and yields the address of a server whose user may create databases."""
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix="store-postgres-") as folder:
        if os.geteuid() == 0:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        data, port = f"{folder}/data", free_port()
        initdb = [program("initdb"), "--auth=trust", "--username=store", "--no-sync", "--encoding=UTF8", "-D", data]
        subprocess.run(initdb, check=True, capture_output=True, user=user if os.geteuid() == 0 else None)
        settings = ["-c", "fsync=off", "-c", "max_connections=200", "-k", folder, "-h", HOST, "-p", str(port)]
        command = [program("postgres"), "-D", data, *settings]
        with running(command, "ready to accept connections", user if os.geteuid() == 0 else None):
            yield f"postgresql://store@{HOST}:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """Runs Redis, which keeps nothing, and yields its address."""
    with tempfile.TemporaryDirectory(prefix="store-redis-") as folder:
        port = free_port()
        settings = ["--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no", "--dir", folder]
        with running([program("redis-server"), *settings], "Ready to accept connections"):
            yield f"redis://{HOST}:{port}/0"
