"""What the commands take: their options, defaults, and the words about them.

The functions that do the work are imported when they are called, because most of what they need is only there with
``ferrapi[standard]`` or ``ferrapi[migrate]``.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

_PATH = (
    "a Python file, a package's folder, a module, or module:name; without it the entrypoint of pyproject.toml "
    "([tool.ferrapi] or [tool.fastapi]), else main.py, app.py, api.py and the same files in the folder app"
)


class _Parser(argparse.ArgumentParser):
    """A parser that refuses with one sentence."""

    commands: dict[str, _Parser] | None = None
    """The readers of the commands, by name."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        self.exit(2, f"{message[:1].upper()}{message[1:]} ({self.prog} --help says what there is)\n")

    def check_command(self, arguments: Sequence[str]) -> None:
        """Refuse a command that isn't there, and say what was meant if that can be seen.

        Raises:
            SystemExit: if there is no such command.
        """
        given = arguments[0] if arguments else None
        if self.commands is None or given is None or given.startswith("-") or given in self.commands:
            return
        meant = _nearest(given, self.commands)
        if meant is None and (":" in given or Path(given).exists()):
            meant = f"run {given}"
        if meant is None:
            self.error(f"there is no command {given}: choose {', '.join(self.commands)}")
        self.error(f"there is no command {given}: do you mean {self.prog} {meant}?")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read arguments; what is left over is refused in the name of the command that it was given to."""
        options, left = self.parse_known_args(args, namespace)
        if left:
            reader = (self.commands or {}).get(getattr(options, "command", None) or "", self)
            reader._refuse(left)
        return options

    def _refuse(self, left: list[str]) -> NoReturn:
        option = left[0].partition("=")[0]
        meant = _nearest(option, self._option_string_actions) if option.startswith("--") else None
        hint = "" if meant is None else f"; do you mean {meant}?"
        self.error(f"unrecognized arguments: {' '.join(left)}{hint}")


def _nearest(word: str, words: Any) -> str | None:
    """The word that somebody has probably meant."""
    return next(iter(difflib.get_close_matches(word, list(words), 1, 0.7)), None)


def _number(what: str, least: int, most: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers between `least` and `most`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}: give a whole number") from None
        if number < least or (most is not None and number > most):
            limit = f"{least} or more" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{number} is no {what}: give a number {limit}")
        return number

    return read


def _path_of_url(text: str) -> str:
    if not text.startswith("/") or "?" in text or "#" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no path: it begins with / and has no query")
    return text


def _do(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def do(options: argparse.Namespace) -> int:
        call: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module, __package__), function)
        return call(options)

    return do


def _flag(parser: Any, name: str, default: bool, help: str) -> None:
    parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=default, help=help)


def _finding(command: Any) -> None:
    group = command.add_argument_group("the application")
    group.add_argument("path", nargs="?", metavar="PATH", help=_PATH)
    group.add_argument(
        "--app",
        metavar="NAME",
        help="the name of the application in its module; without it app, api or the first application is taken",
    )
    group.add_argument(
        "--entrypoint", "-e", metavar="MODULE:NAME", help="the application; not together with the others"
    )


def _serving(command: Any, developing: bool) -> None:
    add = command.add_argument_group("serving").add_argument
    group = command
    host, reload = ("127.0.0.1", "on") if developing else ("0.0.0.0", "off")
    add("--host", default=host, help=f"the address to listen at (default: {host})")
    add(
        "--port",
        type=_number("port", 0, 65535),
        default=os.environ.get("PORT") or "8000",
        help="the port to listen at; 0 for any that is free (default: the environment variable PORT, or 8000)",
    )
    add("--uds", metavar="SOCKET", help="listen at a Unix socket instead of host and port")
    add("--root-path", default="", metavar="PATH", help="the path at which a proxy serves the application")
    _flag(group, "reload", developing, f"start again when files change (default: {reload})")
    add("--reload-dir", action="append", metavar="FOLDER", help="watch this instead of the current folder; repeatable")
    _flag(group, "proxy-headers", True, "believe X-Forwarded-For and X-Forwarded-Proto")
    add(
        "--forwarded-allow-ips",
        metavar="ADDRESSES",
        help="the addresses whose proxy headers are believed, with commas between; * for all (default: the environment "
        "variable FORWARDED_ALLOW_IPS, or this machine)",
    )
    add(
        "--http",
        default="auto",
        metavar="PROTOCOL",
        help="the HTTP protocol: auto (ferrapi's own where it can be), ferrapi, h11, httptools, or module:class",
    )
    add("--verbose", "-v", action="store_true", help="say how the application was found, and list its routes")


def _stopping(command: Any, developing: bool) -> None:
    add = command.add_argument_group("stopping, and being watched").add_argument
    seconds = _number("number of seconds", 0)
    patience = 3 if developing else 30
    add(
        "--timeout-graceful-shutdown",
        type=seconds,
        default=patience,
        metavar="SECONDS",
        help=f"how long requests in flight may go on after the signal to stop (default: {patience})",
    )
    add(
        "--health",
        type=_path_of_url,
        metavar="PATH",
        help="answer at this path whether the server takes requests: 200, or 503 when it is about to stop",
    )
    add(
        "--drain-delay",
        type=seconds,
        metavar="SECONDS",
        help="how long to go on accepting connections after the signal to stop, as a part of the time for a graceful "
        f"shutdown (default: {0 if developing else 5} with --health, else 0)",
    )
    number = _number("number of requests", 1)
    add("--limit-max-requests", type=number, metavar="NUMBER", help="stop, or start the worker afresh, after so many")
    add(
        "--limit-max-requests-jitter",
        type=_number("number of requests", 0),
        default=0,
        metavar="NUMBER",
        help="allow a random number more, up to this one, so that workers don't end together",
    )
    add("--limit-concurrency", type=number, metavar="NUMBER", help="answer 503 when there are more at a time")
    add("--timeout-keep-alive", type=seconds, default=5, metavar="SECONDS", help="for idle connections (default: 5)")
    command.set_defaults(drain_default=0 if developing else 5)


def _limits(command: Any) -> None:
    add = command.add_argument_group("limits of ferrapi's own protocol").add_argument
    seconds, size = _number("number of seconds", 1), _number("number of bytes", 1)
    add("--timeout-head", type=seconds, metavar="SECONDS", help="for a request's head to arrive, else 408")
    add("--timeout-body", type=seconds, metavar="SECONDS", help="for the next piece of a body to arrive, else 408")
    add("--limit-head", type=size, metavar="BYTES", help="of a request's head, else 431 (default: 65536)")
    add("--limit-body", type=size, metavar="BYTES", help="of a request's body, else 413")


def _logging(command: Any) -> None:
    group = command.add_argument_group("logging")
    _flag(group, "access-log", True, "log each request")
    group.add_argument(
        "--log-config", metavar="FILE", help="a configuration of Python's logging: .json, .yaml, else its own format"
    )
    group.add_argument("--log-level", choices=["critical", "error", "warning", "info", "debug", "trace"])


def _tls(command: Any) -> None:
    add = command.add_argument_group("TLS").add_argument
    add("--ssl-certfile", metavar="FILE", help="the certificate, and those that it was signed with")
    add("--ssl-keyfile", metavar="FILE", help="its key, if that is not in the same file")
    add("--ssl-keyfile-password", metavar="PASSWORD", help="the key's password")
    add("--ssl-ca-certs", metavar="FILE", help="who may sign certificates of clients")
    add(
        "--ssl-cert-reqs",
        choices=["none", "optional", "required"],
        default="none",
        help="whether a client has to have a certificate (default: none)",
    )
    add("--ssl-ciphers", metavar="CIPHERS", help="in OpenSSL's words")


def _servers(commands: Any) -> None:
    texts = {
        "run": ("serve an application", "Serve an application."),
        "dev": (
            "serve an application while it is being written",
            "Serve an application on this machine only, and start again when files change.",
        ),
    }
    for name, (help, description) in texts.items():
        developing = name == "dev"
        command = commands.add_parser(name, help=help, description=description)
        _finding(command)
        _serving(command, developing)
        _stopping(command, developing)
        _limits(command)
        _logging(command)
        _tls(command)
        _flag(
            command,
            "gc-freeze",
            not developing,
            "take what is alive after start-up out of the garbage collector's sight",
        )
        if not developing:
            command.add_argument(
                "--workers",
                type=_number("number of workers", 1),
                metavar="NUMBER",
                help="the number of processes that serve; not together with --reload",
            )
        command.set_defaults(do=_do("._run", "run"))
        if developing:
            command.set_defaults(workers=None)


def _looking(commands: Any) -> None:
    command = commands.add_parser(
        "routes",
        help="list the routes of an application",
        description="List what an application answers: path, methods, endpoint, where that is defined, dependencies; "
        "and for each route what runs in Python beside your own functions, and why.",
    )
    _named(command)
    command.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    command.set_defaults(do=_do("._routes", "routes"))
    command = commands.add_parser(
        "check",
        help="look for mistakes in an application",
        description="Look for routes that no request reaches, duplicate operation ids, objects of the real FastAPI, "
        "and blocking calls in coroutine functions. The exit status is 1 if there is one. Synchronous endpoints are "
        "noted.",
    )
    _named(command)
    command.add_argument("--ignore", action="append", default=[], metavar="RULE", help="leave a rule out; repeatable")
    command.add_argument("--strict", action="store_true", help="let notes count as well")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(do=_do("._check", "check"))


def _moving(commands: Any) -> None:
    command = commands.add_parser(
        "migrate",
        help="change the imports of a project from fastapi to ferrapi",
        description="Change imports of fastapi to ferrapi in Python files, and report what is left: names that ferrapi "
        "doesn't have, texts that name FastAPI, libraries that import it. Needs ferrapi[migrate].",
    )
    command.add_argument("path", nargs="*", metavar="PATH", help="files or folders (default: the current folder)")
    command.add_argument(
        "--check", action="store_true", help="change nothing; the exit status is 1 if something would change"
    )
    command.add_argument("--diff", action="store_true", help="show the changes")
    command.set_defaults(do=_do("._migrate", "migrate"))


def _named(command: Any) -> None:
    command.add_argument("path", nargs="?", metavar="APP", help=_PATH)
    command.add_argument("--app", metavar="NAME", help="the name of the application in its module")


def _shadowing(commands: Any) -> None:
    command = commands.add_parser(
        "shadow",
        help="record what an application is asked, and compare how others answer it",
        usage="ferrapi shadow --record FILE APP | ferrapi shadow FILE APP [APP]",
        description="Record requests and answers, without secrets; or ask one application or two what was recorded, "
        "and say where the answers differ: from each other, or from the recording.",
    )
    add = command.add_argument
    several: Any = {"action": "append", "default": []}
    add("what", nargs="+", metavar="WHAT", help="the recording, and applications as module:name")
    add("--record", metavar="FILE", help="serve the application, and write requests and answers to the end of the file")
    add("--redact", **several, metavar="NAME", help="a further name whose values are secret; repeatable")
    add("--host", default="127.0.0.1", help="with --record: the address to listen at (default: 127.0.0.1)")
    add("--port", type=_number("port", 0, 65535), default=8000, help="with --record: the port (default: 8000)")
    add("--alias", action="store_true", help="let fastapi mean ferrapi in the second application (ferrapi.as_fastapi)")
    add("--header", **several, metavar="NAME:VALUE", help="send this header with each request; repeatable")
    add("--ignore-header", **several, metavar="NAME", help="don't compare this header; repeatable")
    add("--ignore-field", **several, metavar="NAME", help="don't compare this JSON member; repeatable")
    add("--timeout", type=float, default=10.0, metavar="SECONDS", help="for each request (default: 10)")
    command.set_defaults(do=_do("._shadow", "shadow"))


def parser() -> _Parser:
    """The reader of the whole command line; ``options.do(options)`` does what was asked for."""
    reader = _Parser(prog="ferrapi", description="Serve, look into and move applications of FastAPI's kind.")
    reader.add_argument("--version", action="store_true", help="show the version and exit")
    commands = reader.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _servers(commands)
    _looking(commands)
    _moving(commands)
    _shadowing(commands)
    reader.commands = commands.choices
    return reader
