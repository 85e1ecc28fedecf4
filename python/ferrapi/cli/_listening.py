"""Whether the server will be able to listen at an address."""

from __future__ import annotations

import errno
import os
import socket
import stat

from ._messages import Refused

_NOT_STARTED = 3


def check_address(host: str, port: int) -> None:
    """Try to listen at an address, and leave it again.

    Raises:
        Refused: when that isn't possible; the message says why.
    """
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as exc:
        raise Refused(f"--host {host}: there is no such address ({exc})", _NOT_STARTED) from exc
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as trial:
                if os.name == "posix":
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trial.bind(address)
        except OSError as exc:
            if exc.errno == errno.EAFNOSUPPORT:
                continue
            raise Refused(_why(exc, str(address[0]), port), _NOT_STARTED) from exc


def check_socket(path: str) -> None:
    """Find out whether a Unix socket can be made at a path.

    Raises:
        Refused: when that isn't possible; the message says why.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise Refused("--uds: there are no Unix sockets on this system", _NOT_STARTED)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Refused(f"--uds: there is no folder {folder}", _NOT_STARTED)
    if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise Refused(f"--uds: {path} is there, and is no socket", _NOT_STARTED)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refused(f"--uds: this user may not make a socket in {folder}", _NOT_STARTED)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        try:
            trial.connect(path)  # it makes nothing; and who listens there already is replaced, as uvicorn does
        except OSError as exc:
            if exc.errno is None:  # Python's own: the path is longer than an address can be
                raise Refused(f"--uds: it isn't possible to listen at {path}: {exc}", _NOT_STARTED) from exc


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop what listens there, or choose another with --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} of {host} is not for this user: choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host} is no address of this machine"
    return f"It isn't possible to listen at port {port} of {host}: {error.strerror or error}"
