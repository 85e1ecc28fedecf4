"""The command: ``ferrapi run`` serves an application, ``ferrapi dev`` does so while it is being written.

Options and the way in which the application is found are those of FastAPI's command; ferrapi's own are ``--http``,
``--access-log`` and ``--gc-freeze``. Messages go to standard output and the exit status is 1 for an application that
can't be found or imported, 2 for options that contradict each other, 3 for a server that doesn't start.

``--gc-freeze``, on for ``run``: after start-up everything alive (modules, models, routes) is moved out of the garbage
collector's sight, so that collections during requests don't walk through it again and again. Objects that exist at that
moment and become garbage in a cycle later are then never freed; an application that replaces large structures while it
runs may want ``--no-gc-freeze``.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

_HELP = {
    "path": "a Python file, a package's folder, a module, or module:name; without it main.py, app.py, api.py and the "
    "same files in the folder app are tried",
    "app": "the name of the application in its module; without it app, api or the first application is taken",
    "entrypoint": "the application as module:name",
    "host": "the address to listen at",
    "port": "the port to listen at (default: the environment variable PORT, or 8000)",
    "workers": "the number of processes that serve; not together with --reload",
    "root-path": "the path at which a proxy serves the application",
    "reload": "start again when files change",
    "reload-dir": "a folder to watch instead of the current one; may be repeated",
    "access-log": "log each request",
    "proxy-headers": "believe X-Forwarded-For and X-Forwarded-Proto",
    "forwarded-allow-ips": "the addresses whose proxy headers are believed, with commas between; * for all",
    "http": "the HTTP protocol: auto (ferrapi's own where it can be), ferrapi, h11, httptools, or module:class",
    "gc-freeze": "take what is alive after start-up out of the garbage collector's sight",
}


def _port() -> str:
    return os.environ.get("PORT") or "8000"


def _flag(parser: argparse.ArgumentParser, name: str, default: bool) -> None:
    parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=default, help=_HELP[name])


def _option(parser: argparse.ArgumentParser, *names: str, **options: Any) -> None:
    parser.add_argument(*names, help=_HELP[names[0].removeprefix("--")], **options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ferrapi", description="Serve ferrapi applications.")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="serve an application", description="Serve an application.")
    dev = commands.add_parser(
        "dev",
        help="serve an application while it is being written",
        description="Serve an application on this machine only, and start again when files change.",
    )
    for command, developing in ((run, False), (dev, True)):
        _option(command, "path", nargs="?", metavar="PATH")
        _option(command, "--app", metavar="NAME")
        _option(command, "--entrypoint", "-e", metavar="MODULE:NAME")
        _option(command, "--host", default="127.0.0.1" if developing else "0.0.0.0")
        _option(command, "--port", type=int, default=_port())
        _option(command, "--root-path", default="", metavar="PATH")
        _flag(command, "reload", developing)
        _option(command, "--reload-dir", action="append", metavar="FOLDER")
        _flag(command, "access-log", True)
        _flag(command, "proxy-headers", True)
        _option(command, "--forwarded-allow-ips", metavar="ADDRESSES")
        _option(command, "--http", default="auto", metavar="PROTOCOL")
        _flag(command, "gc-freeze", not developing)
    _option(run, "--workers", type=int, default=None, metavar="NUMBER")
    dev.set_defaults(workers=None)
    return parser


def _fail(message: str, status: int = 1) -> int:
    print(message)
    return status


def _serve(options: argparse.Namespace) -> int:
    """Find the application, then serve it. Answers the exit status."""
    from ._discovery import DiscoveryError, discover

    try:
        from . import _serve as serving
    except ImportError as exc:
        return _fail(f"Serving an application needs uvicorn ({exc}): pip install 'ferrapi[standard]'")
    try:
        app = discover(options.path, options.app, options.entrypoint)
    except DiscoveryError as exc:
        return _fail(str(exc))
    except Exception as exc:
        traceback.print_exc(file=sys.stdout)
        return _fail(f"Import error: {exc}")
    try:
        http = serving.http_choice(options.http)
    except ImportError as exc:
        return _fail(f"--http ferrapi needs uvicorn and httptools ({exc}): pip install 'ferrapi[standard]'")
    return serving.serve(
        serving.ServeConfig(
            app,
            gc_freeze=options.gc_freeze,
            host=options.host,
            port=options.port,
            root_path=options.root_path,
            reload=options.reload,
            reload_dirs=options.reload_dir,
            workers=options.workers,
            access_log=options.access_log,
            proxy_headers=options.proxy_headers,
            forwarded_allow_ips=options.forwarded_allow_ips,
            http=http,
        )
    )


def execute(arguments: Sequence[str]) -> int:
    """Do what the arguments (without the command's own name) say. Answers the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.version:
        from . import __version__

        print(f"ferrapi {__version__}")
        return 0
    if options.command is None:
        parser.print_help()
        return 2
    if options.reload and (options.workers or 1) > 1:
        return _fail("--workers and --reload exclude each other", 2)
    if options.command == "dev":
        os.environ.setdefault("FASTAPI_ENV", "development")
    return _serve(options)


def cli_main() -> None:
    """Run the command with the process's arguments, and exit."""
    sys.exit(execute(sys.argv[1:]))


def main() -> None:
    """The command `ferrapi`."""
    cli_main()
