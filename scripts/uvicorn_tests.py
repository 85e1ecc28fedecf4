"""uvicorn's own tests, run with ferrapi's HTTP/1.1 protocol in the place of its httptools protocol.

    python scripts/uvicorn_tests.py [arguments for pytest]

The tests of the installed release are fetched (from its source distribution, into ``.cache/uvicorn``) and run twice:
unchanged, where the applications are foreign and called by way of ASGI, and with each application behind a route of a
ferrapi application. The tests are not ours to keep, and nothing of
them is in this repository. What they need besides pytest: anyio, httpx, httpx2, trustme, a2wsgi, websockets, wsproto.

The exit status is 0 if all tests pass but those in `EXCEPTIONS`, and those don't.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "uvicorn"
SELECTED = ("protocols/test_http.py", "protocols/test_websocket.py", "test_default_headers.py", "test_server.py")
WRAPPED = "FERRAPI_WRAPPED"

EXCEPTIONS: dict[str, tuple[str, str]] = {
    "test_huge_headers_httptools": ("unchanged wrapped", "a head of more than 64 KiB is answered with 431"),
    "test_large_post_request": ("unchanged wrapped", "nobody is held back by a body that has come whole"),
    "test_max_concurrency": ("unchanged wrapped", "waits for a task; what is one too many is answered without one"),
    "test_scopes": ("unchanged wrapped", "looks for the scope on the protocol; it is the request's"),
}
"""Tests (a part of their name) that fail, each with the modes it fails in and the reason."""


def fetch() -> Path:
    """The directory with the tests of the installed release of uvicorn; downloaded if it isn't there."""
    release = version("uvicorn")
    home = CACHE / release
    if not (home / "tests").is_dir():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "uvicorn"]
        subprocess.run([*pip, "--dest", str(CACHE), f"uvicorn=={release}"], check=True)
        with tarfile.open(CACHE / f"uvicorn-{release}.tar.gz") as archive:
            top = f"uvicorn-{release}/"
            wanted = [m for m in archive.getmembers() if m.name.startswith((f"{top}tests/", f"{top}pyproject.toml"))]
            for member in wanted:
                member.name = member.name.removeprefix(top)
            archive.extractall(home, members=wanted, filter="data")
    return home


def run(home: Path, mode: str, arguments: list[str]) -> bool:
    """Run the tests in one mode; say how it went and whether it went as expected."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), WRAPPED: "1" if mode == "wrapped" else ""}
    pytest = [sys.executable, "-m", "pytest", "-p", "uvicorn_tests", "-q", "-rfE", "--no-header", "--tb=short"]
    pytest += ["-o", "addopts=", "-p", "no:unraisableexception", "-k", "not h11 and not zttp and not H11"]
    tests = [f"tests/{name}" for name in SELECTED]
    done = subprocess.run([*pytest, *tests, *arguments], cwd=home, env=environment, capture_output=True, text=True)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    expected = {part for part, (modes, _) in EXCEPTIONS.items() if mode in modes}
    surprising = [name for name in failed if not any(part in name for part in expected)]
    missing = [part for part in expected if not any(part in name for name in failed)] if not arguments else []
    print(f"{mode}: {done.stdout.strip().splitlines()[-1]}")
    for part in sorted(expected):
        print(f"  expected to fail: {part}: {EXCEPTIONS[part][1]}")
    if surprising or missing or done.returncode not in (0, 1):
        print(done.stdout, done.stderr, f"unexpected failures: {surprising}", f"unexpected passes: {missing}", sep="\n")
        return False
    return True


def main() -> int:
    """Fetch, run both modes, answer the exit status."""
    home = fetch()
    results = [run(home, mode, sys.argv[1:]) for mode in ("unchanged", "wrapped")]
    return 0 if all(results) else 1


# What follows is the pytest plugin that the runs above load.


def behind_a_route(original: Any) -> Any:
    """A ferrapi application with a route that lets the ASGI application `original` answer."""
    from ferrapi import FastAPI, Request
    from ferrapi.responses import Response

    class Forward(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            result = await original(scope, receive, send)
            if result is not None:
                raise RuntimeError(f"returned {result!r}")

    async def endpoint(request):  # type: ignore[no-untyped-def]  # annotated below: the names are local ones
        return Forward()

    endpoint.__annotations__ = {"request": Request, "return": Response}
    app = FastAPI(openapi_url=None)
    app.router.redirect_slashes = False
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
    app.add_api_route("/{rest:path}", endpoint, methods=methods)
    app.mount("/", original)  # WebSockets
    return app


def wrapping(protocol: Any) -> Any:
    """`protocol`, putting the application that it is to serve behind a route."""
    from ferrapi import FastAPI
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    class Wrapped(protocol):  # type: ignore[misc]  # a class that is known at run time only
        def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
            if not config.loaded:
                config.load()
            loaded = config.loaded_app
            if type(loaded) is ProxyHeadersMiddleware:
                if not isinstance(loaded.app, FastAPI):
                    loaded.app = behind_a_route(loaded.app)
            elif not isinstance(loaded, FastAPI):
                config.loaded_app = behind_a_route(loaded)
            super().__init__(config, *args, **kwargs)

    return Wrapped


def pytest_configure(config: Any) -> None:
    """Put the transport in the place of uvicorn's protocol before anything imports that by name."""
    from ferrapi.server import HttpProtocol
    from uvicorn.protocols.http import httptools_impl

    protocol = wrapping(HttpProtocol) if os.environ.get(WRAPPED) else HttpProtocol
    httptools_impl.HttpToolsProtocol = protocol


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Teach the tests' imitations of a transport and an event loop what the protocol uses besides."""
    for module in {item.module for item in items}:
        transport = getattr(module, "MockTransport", None)
        if transport is not None and not hasattr(transport, "write_eof"):
            transport.can_write_eof = lambda self: True
            transport.write_eof = lambda self: self.close()  # nobody listens there
        loop = getattr(module, "MockLoop", None)
        if loop is None or hasattr(loop, "call_soon"):
            continue
        create_task, run_later = loop.create_task, loop.run_later
        loop.now = 0.0
        loop.time = lambda self: self.now
        loop.call_soon = lambda self, callback, *args, context=None: callback(*args)
        loop.create_task = lambda self, coroutine, context=None, _create=create_task: _create(self, coroutine)
        loop.create_future = lambda self: asyncio.get_running_loop().create_future()

        def move(self: Any, with_delay: float, _run: Any = run_later) -> None:
            self.now += with_delay
            _run(self, with_delay)

        loop.run_later = move


if __name__ == "__main__":
    sys.exit(main())
