"""Calls in coroutine functions that make the whole process wait, as far as they are easy to see.

Only what the function itself calls is looked at, by a name that surely means one of the known functions. Functions
inside of it, which may run in a thread, and names that are bound in it are left alone.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

_ADVICE = {
    "time.sleep": "await asyncio.sleep()",
    "os.system": "await asyncio.create_subprocess_shell()",
    "os.popen": "await asyncio.create_subprocess_shell()",
    "builtins.input": "a thread",
    "builtins.open": "anyio.open_file(), or a thread",
    **dict.fromkeys(
        [
            f"subprocess.{name}"
            for name in ("call", "check_call", "check_output", "getoutput", "getstatusoutput", "run")
        ],
        "await asyncio.create_subprocess_exec()",
    ),
    **dict.fromkeys(
        ["urllib.request.urlopen", "urllib.request.urlretrieve", "http.client.HTTPConnection"],
        "an asynchronous client",
    ),
    **dict.fromkeys(
        [
            f"{package}.{name}"
            for package in ("requests", "httpx", "httpx2")
            for name in ("delete", "get", "head", "options", "patch", "post", "put", "request", "stream")
        ],
        "httpx.AsyncClient",
    ),
    **dict.fromkeys(["socket.create_connection", "socket.gethostbyname", "socket.getaddrinfo"], "the event loop's"),
    **dict.fromkeys(
        ["sqlite3.connect", "psycopg.connect", "psycopg2.connect", "pymysql.connect", "MySQLdb.connect"],
        "an asynchronous driver, or a synchronous function",
    ),
    **dict.fromkeys(
        [f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "move", "rmtree")], "a thread"
    ),
}
"""What blocks, by its full name, and what to call instead."""


class Blocking(NamedTuple):
    """A call.

    Attributes:
        name: the full name of what is called.
        file: where.
        line: the same.
        instead: what to call instead.
    """

    name: str
    file: str
    line: int
    instead: str


def blocking_calls(function: Any) -> Iterator[Blocking]:
    """The blocking calls of a coroutine function or an asynchronous generator; none where there is no source."""
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function):
        function = vars(type(function)).get("__call__")
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        return
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return
    body = tree.body[0] if tree.body else None
    if not isinstance(body, ast.AsyncFunctionDef):
        return
    resolve = _Names(function, body).resolve
    for call in _calls(body):
        name = resolve(call.func)
        if name is not None:
            yield Blocking(name, function.__code__.co_filename, first + call.lineno - 1, _ADVICE[name])


def _own_nodes(body: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside of it."""
    pending: list[ast.AST] = list(reversed(body.body))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _calls(body: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    awaited = {id(node.value) for node in _own_nodes(body) if isinstance(node, ast.Await)}
    for node in _own_nodes(body):
        if isinstance(node, ast.Call) and id(node) not in awaited:
            yield node


class _Names:
    """What names mean inside of a function.

    Parameters:
        function: the function.
        body: its source.
    """

    def __init__(self, function: Any, body: ast.AsyncFunctionDef) -> None:
        self._imported = dict(_imports(body))
        self._bound = frozenset((*function.__code__.co_varnames, *function.__code__.co_cellvars))
        closure = inspect.getclosurevars(function)
        self._known: Mapping[str, Any] = {**vars(builtins), **function.__globals__, **closure.nonlocals}

    def resolve(self, called: ast.expr) -> str | None:
        """The full name of a blocking function; None for everything else."""
        parts: list[str] = []
        while isinstance(called, ast.Attribute):
            parts.append(called.attr)
            called = called.value
        if not isinstance(called, ast.Name):
            return None
        parts.append(called.id)
        first, *rest = reversed(parts)
        if first in self._imported:
            name = ".".join([self._imported[first], *rest])
            return name if name in _ADVICE else None
        if first in self._bound or first not in self._known:
            return None
        return _name_of(self._known[first], rest)


def _imports(body: ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    """The names that import statements in a function bind, and what they stand for."""
    for node in _own_nodes(body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _name_of(value: Any, attributes: list[str]) -> str | None:
    for attribute in attributes:
        if not inspect.ismodule(value):
            return None
        value = vars(value).get(attribute)
    return next((name for name, known in _loaded() if known is value), None)


def _loaded() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The blocking functions of those modules that are loaded."""
    for name in _ADVICE:
        module, _, attribute = name.rpartition(".")
        found = getattr(sys.modules.get(module), attribute, None)
        if found is not None:
            yield name, found
