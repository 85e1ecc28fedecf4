"""The route table answers what Starlette's linear matching answers, on random tables and paths.

The oracle is the contract itself: ask each route's `matches` in order, the first full match wins, else the first
partial one. At least half of the paths are made from a template of their table, so that most questions have an answer.
The seed is printed; `FERRAPI_SEED=...` repeats a run, `FERRAPI_PAIRS=...` makes it longer.
"""

import os
import random
import sys
from typing import Any

from ferrapi import APIRouter
from ferrapi.routing import APIRoute, APIWebSocketRoute
from ferrapi.routing._table import Table
from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute

PAIRS = int(os.environ.get("FERRAPI_PAIRS", "100000"))
PATHS_PER_TABLE = 50


class Hex(Convertor[int]):
    """A convertor that nobody but this test knows. It can match an empty text."""

    regex = "[0-9a-f]*"

    def convert(self, value: str) -> int:
        return int(value or "0", 16)

    def to_string(self, value: int) -> str:
        return f"{value:x}"


class Lines(Convertor[str]):
    """A convertor that matches across segments and has alternatives of different lengths."""

    regex = "a/b|a|[^x]+/c"

    def convert(self, value: str) -> str:
        return value.upper()

    def to_string(self, value: str) -> str:
        return value


class Refusing(BaseRoute):
    """A route that the table can't see into; it changes its mind by the path's length."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        length = len(scope["path"]) % 5
        if length == 0:
            return Match.FULL, {"endpoint": self, "path_params": {"own": 1}}
        return (Match.PARTIAL, {"endpoint": self}) if length == 1 else (Match.NONE, {})

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


SEGMENTS = ["a", "b", "ab", "users", "me", "1", "a.b", "é", "a b", "A", "-", "{", "}", "x{y", "%41", "*", "a+", "\n"]
KINDS = ["", "", "", ":str", ":int", ":float", ":path", ":uuid", ":hex", ":lines"]
FILLERS = {
    "": ["x", "me", "1", "a.b", "é", "a\nb", "{x}", " ", "😀", "users", "a-b", "%2F"],
    ":int": ["0", "12", "007", "9" * 30],
    ":float": ["1.5", "2", "0.0", "10.25"],
    ":path": ["", "a", "a/b", "a//b", "/x", "users/me", "a/b/c/d", "\n"],
    ":uuid": ["12345678-1234-5678-1234-567812345678"],
    ":hex": ["", "ff", "0", "a1"],
    ":lines": ["a", "a/b", "q/c", "1/2/c", "b/c"],
}
FILLERS[":str"] = FILLERS[""]
JUNK = ["", "/", "//", "a", "1", "1.", "-1", "१", "x/y", "\r", "\n", "..", "me/", "٣.٣", "\ud800", "FF", "c"]


async def endpoint(**values: Any) -> None:
    """What no test calls."""


async def websocket_endpoint(websocket: Any) -> None:
    """What no test calls."""


def _piece(chance: random.Random, names: list[str]) -> str:
    if chance.random() < 0.45:
        return chance.choice(SEGMENTS[:6] if chance.random() < 0.7 else SEGMENTS)
    out = ""
    for position in range(chance.choice([1, 1, 1, 1, 2, 3])):
        name = f"p{len(names)}"
        names.append(name)
        separator = chance.choice(["", ".", "-", "a", ":"]) if position else chance.choice(["", "", "", "v", "@"])
        out += f"{separator}{{{name}{chance.choice(KINDS)}}}"
    return out + chance.choice(["", "", "", "", ".json", "x"])


def template(chance: random.Random) -> str:
    """A random path template."""
    names: list[str] = []
    path = "".join("/" + _piece(chance, names) for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 2, 3, 4])))
    return path + chance.choice(["", "", "", "", "/"]) or "/"


def make_route(chance: random.Random, known: list[str]) -> BaseRoute:
    """A random route; its template is often one that the table has already, or a close relative of it."""
    path = template(chance)
    if known and chance.random() < 0.35:
        path = chance.choice(known)
        path = chance.choice(
            [path, path + "/", path.replace("{p0}", "me"), path.replace(":int", ""), path + "/{q:path}"]
        )
    known.append(path)
    kind = chance.random()
    methods = chance.sample(["GET", "POST", "PUT", "DELETE"], chance.randint(1, 2))
    try:
        if kind < 0.35:
            return Route(path, PlainTextResponse("x"), methods=chance.choice([None, methods]))
        if kind < 0.7:
            return APIRoute(path, _endpoint_for(), methods=methods)
        if kind < 0.78:
            return WebSocketRoute(path, websocket_endpoint)
        if kind < 0.82:
            return APIWebSocketRoute(path, _websocket_for())
        if kind < 0.92:
            return Mount(path.rstrip("/") if chance.random() < 0.8 else path, app=Router())
        if kind < 0.97:
            return Host(chance.choice(["a.test", "{sub}.test", "{n:int}.test"]), app=Router())
        return Refusing()
    except (ValueError, AssertionError):  # a template that repeats a name, or asks too much of a mount
        return make_route(chance, known)


def _endpoint_for() -> Any:
    async def own() -> None:
        """An endpoint without parameters: what they are is not this test's subject."""

    return own


def _websocket_for() -> Any:
    async def own() -> None:
        """An endpoint without parameters."""

    return own


def fill(chance: random.Random, path: str) -> str:
    """A path that a template probably matches."""
    out, rest = "", path
    while "{" in rest:
        before, _, after = rest.partition("{")
        inside, brace, tail = after.partition("}")
        name, colon, kind = inside.partition(":")
        if not brace or not name.isidentifier() or (colon and ":" + kind not in FILLERS):
            out, rest = out + before + "{", after
            continue
        out += before + chance.choice(FILLERS[colon + kind])
        rest = tail
    return out + rest


def make_path(chance: random.Random, known: list[str]) -> str:
    """A path: from a template, sometimes damaged, sometimes from nowhere."""
    if chance.random() < 0.1:
        return "/" + "/".join(chance.choice(JUNK + SEGMENTS) for _ in range(chance.randint(0, 4)))
    path = fill(chance, chance.choice(known)) if known else "/"
    damage = chance.random()
    if damage < 0.06:
        at = chance.randint(0, len(path))
        return path[:at] + chance.choice(JUNK) + path[at + chance.randint(0, 1) :]
    if damage < 0.1:
        return path + chance.choice(["/", "/x", "x", "\n", "/a/b"])
    return path.upper() if damage < 0.12 else path


def make_scope(chance: random.Random, path: str) -> dict[str, Any]:
    """An ASGI scope for the path."""
    root = chance.choice(["", "", "", "/r", "/r/s", "/é"])
    full = root + path if chance.random() < 0.9 else path
    scope: dict[str, Any] = {
        "type": chance.choice(["http"] * 5 + ["websocket"]),
        "path": full,
        "root_path": root,
        "headers": [(b"host", chance.choice([b"a.test", b"b.test:80", b"7.test", b"x", b"A.test"]))],
    }
    if scope["type"] == "http":
        scope["method"] = chance.choice(["GET"] * 4 + ["POST", "PUT", "HEAD", "get", "é"])
    if chance.random() < 0.2:
        scope["path_params"] = {"outer": 1, "p0": "outer"}
    return scope


def linear(routes: list[BaseRoute], scope: dict[str, Any]) -> tuple[Any, ...]:
    """Starlette's answer: the route, whether it matched fully, and what the scope says afterwards."""
    found: tuple[BaseRoute, Any] | None = None
    for route in routes:
        match, child = route.matches(scope)
        if match is Match.FULL:
            return route, True, *facts(route, {**scope, **child})
        if match is Match.PARTIAL and found is None:
            found = (route, child)
    if found is None:
        return None, False
    return found[0], False, *facts(found[0], {**scope, **found[1]})


def facts(route: BaseRoute, scope: dict[str, Any]) -> tuple[Any, ...]:
    """What matching may have put into the scope."""
    keys = ("path_params", "endpoint", "root_path", "app_root_path", "path", "type", "method")
    return tuple((key, repr(scope.get(key)) if key == "path_params" else scope.get(key)) for key in keys)


def outcome(ask: Any, table: Any, scope: dict[str, Any]) -> tuple[Any, ...]:
    """An answer for a copy of the scope, or the error that a convertor raised."""
    try:
        answer: tuple[Any, ...] = ask(table, dict(scope))
    except Exception as exc:
        return ("error", type(exc).__name__, str(exc))
    return answer


def native(table: Table, scope: dict[str, Any]) -> tuple[Any, ...]:
    """The table's answer, in the same form."""
    found = table.find(scope)
    if found is None:
        return None, False
    target, full = found
    return target.placed.original, full, *facts(target.placed.original, scope)


def test_the_table_finds_what_linear_matching_finds() -> None:
    for name, convertor in (("hex", Hex()), ("lines", Lines())):
        if name not in CONVERTOR_TYPES:
            register_url_convertor(name, convertor)
    seed = int(os.environ.get("FERRAPI_SEED") or random.randrange(2**32))
    print(f"seed {seed}", file=sys.stderr)
    chance = random.Random(seed)
    matched = pairs = 0
    while pairs < PAIRS:
        known: list[str] = []
        routes = [make_route(chance, known) for _ in range(chance.randint(1, 14))]
        table = Table(routes)
        for _ in range(PATHS_PER_TABLE):
            scope = make_scope(chance, make_path(chance, known))
            expected = outcome(linear, routes, scope)
            actual = outcome(native, table, scope)
            assert actual == expected, (seed, scope, [getattr(route, "path", route) for route in routes])
            pairs += 1
            matched += expected[0] not in (None, "error")
    share = matched / pairs
    print(f"{pairs} pairs, {share:.0%} matched", file=sys.stderr)
    assert share >= 0.5


def test_included_routers_match_like_one_flat_table() -> None:
    """An include of any depth is a prefix and nothing else, as far as matching goes."""
    seed = int(os.environ.get("FERRAPI_SEED") or random.randrange(2**32))
    print(f"seed {seed}", file=sys.stderr)
    chance = random.Random(seed)
    matched = pairs = 0
    while pairs < PAIRS // 20:
        flat: list[BaseRoute] = []
        root = _random_router(chance, "", flat, depth=0)
        table = root.table()
        known = [route.path for route in flat if isinstance(route, Route)]
        for _ in range(PATHS_PER_TABLE):
            scope = {**make_scope(chance, make_path(chance, known)), "type": "http", "method": "GET"}
            reference = outcome(linear, flat, scope)
            answer = outcome(native, table, scope)
            found = [getattr(item[0], "name", item[0]) for item in (reference, answer)]
            assert found[0] == found[1], (seed, scope, known)
            assert reference[1:3] == answer[1:3], (seed, scope, known)
            pairs += 1
            matched += reference[0] not in (None, "error")
    assert matched / pairs >= 0.5


def _random_router(chance: random.Random, prefix: str, flat: list[BaseRoute], depth: int) -> APIRouter:
    router = APIRouter()
    for _ in range(chance.randint(1, 4)):
        if depth < 4 and chance.random() < 0.4:
            inner = chance.choice(["", "/a", "/users", f"/{{tenant{depth}}}", f"/v{{version{depth}:int}}"])
            router.include_router(_random_router(chance, prefix + inner, flat, depth + 1), prefix=inner)
        else:
            names: list[str] = []
            path = "".join("/" + _piece(chance, names) for _ in range(chance.randint(1, 2)))
            name = f"route{len(flat)}"
            flat.append(Route(prefix + path, endpoint, methods=["GET"], name=name))
            router.add_api_route(path, _endpoint_for(), name=name)
    return router
