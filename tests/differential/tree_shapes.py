"""Random dependency trees: cached and uncached uses, parameters that fail, generators, overrides, security scopes."""

import random
from typing import Annotated, Any

from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework

PARAMETERS: list[tuple[str, str, Any, Any]] = [
    ("q", "Query", int, ...),
    ("r", "Query", str, "r"),
    ("many", "Query", list[int], ...),
    ("h", "Header", int, ...),
    ("c", "Cookie", str, None),
    ("item", "Path", int, ...),
    ("body", "Body", dict, ...),
    ("other", "Body", int, 3),
]


class Tree:
    """A random tree of dependencies of both frameworks: the same seed makes the same tree.

    Parameters:
        seed: of the random choices.
        bodies: whether dependencies may take bodies.
        fails: whether callables may raise.
    """

    def __init__(self, fw: Framework, log: list[Any], seed: int, *, bodies: bool = True, fails: bool = True) -> None:
        self.fw = fw
        self.log = log
        self.random = random.Random(seed)
        self.bodies = bodies
        self.fails = fails
        self.pool: list[tuple[Any, bool]] = []

    def build(self) -> Any:
        """The application."""
        app = self.fw.FastAPI()
        for index in range(4):  # they use one another, never a dependency of the pool: an override must not be a cycle
            self.pool.append(self._callable(f"o{index}"))
        app.state.replacements = [call for call, _ in self.pool]
        self.pool = []
        for index in range(self.random.randint(1, 6)):
            self.pool.append(self._callable(f"d{index}"))
        endpoint, _ = self._callable("endpoint", endpoint=True)
        dependencies = [self._depends(call) for call, _ in self.random.sample(self.pool, self.random.randint(0, 1))]
        app.post("/{item}", dependencies=dependencies)(endpoint)
        app.state.pool = [call for call, _ in self.pool]
        return app

    def _depends(self, call: Any, request_scoped: bool = False) -> Any:
        options: dict[str, Any] = {"use_cache": self.random.random() < 0.7}
        chosen = self.random.choice([None, None, None, "function", "request"])
        if chosen and not (request_scoped and chosen == "function"):
            options["scope"] = chosen
        if self.random.random() < 0.2:
            return self.fw.Security(
                call, scopes=self.random.sample(["a", "b", "c"], self.random.randint(0, 2)), **options
            )
        return self.fw.Depends(call, **options)

    def _callable(self, name: str, *, endpoint: bool = False) -> tuple[Any, bool]:
        kind = self.random.choice(
            ["sync", "async"] if endpoint else ["sync", "async", "generator", "asyncgen", "class"]
        )
        parameters: dict[str, tuple[Any, Any]] = {}
        generator = kind in ("generator", "asyncgen")
        for call, is_generator in self.random.sample(self.pool, min(len(self.pool), self.random.randint(0, 3))):
            depends = self._depends(call, request_scoped=generator)
            if generator and is_generator and depends.scope == "function":
                continue
            parameters[f"s{len(parameters)}"] = (Any, depends)
        for parameter in self.random.sample(PARAMETERS, self.random.randint(0, 2)):
            key, source, annotation, default = parameter
            if source == "Body" and not self.bodies:
                continue
            info = getattr(self.fw, source)(**({"embed": True} if source == "Body" else {}))
            parameters[key] = (Annotated[annotation, info], default)
        if self.random.random() < 0.3:
            parameters["scopes"] = (self.fw.security.SecurityScopes, ...)
        return self._make(name, kind, parameters), generator

    def _make(self, name: str, kind: str, parameters: dict[str, tuple[Any, Any]]) -> Any:
        log = self.log
        error = self.random.choice([None] * 12 + ["http", "value"]) if self.fails else None
        fw = self.fw

        def work(values: dict[str, Any]) -> Any:
            shown = {key: value.scopes if key == "scopes" else value for key, value in values.items()}
            log.append((name, repr(shown)))
            if error == "http":
                raise fw.HTTPException(401, detail=name)
            if error == "value":
                raise ValueError(name)
            return {"by": name, **shown}

        namespace: dict[str, Any] = {"work": work, "log": log, "A": {k: a for k, (a, _) in parameters.items()}}
        namespace["D"] = {key: default for key, (_, default) in parameters.items() if default is not ...}
        required = [f"{key}: A['{key}']" for key in parameters if key not in namespace["D"]]
        optional = [f"{key}: A['{key}'] = D['{key}']" for key in parameters if key in namespace["D"]]
        signature = ", ".join([*required, *optional])
        values = "{" + ", ".join(f"'{key}': {key}" for key in parameters) + "}"
        source = _TEMPLATES[kind].format(name=name, signature=signature, values=values, comma=", " if signature else "")
        exec(source, namespace)
        return namespace[name]


_TEMPLATES = {
    "sync": "def {name}({signature}):\n    return work({values})\n",
    "async": "async def {name}({signature}):\n    return work({values})\n",
    "generator": (
        "def {name}({signature}):\n    value = work({values})\n    try:\n        yield value\n"
        "    except BaseException as exc:\n        log.append(('{name}', type(exc).__name__))\n        raise\n"
        "    finally:\n        log.append(('{name}', 'exit'))\n"
    ),
    "asyncgen": (
        "async def {name}({signature}):\n    value = work({values})\n    try:\n        yield value\n"
        "    except BaseException as exc:\n        log.append(('{name}', type(exc).__name__))\n        raise\n"
        "    finally:\n        log.append(('{name}', 'exit'))\n"
    ),
    "class": (
        "class {name}(dict):\n    def __init__(self{comma}{signature}):\n        super().__init__(work({values}))\n"
    ),
}


def tree(seed: int, *, bodies: bool = True, fails: bool = True) -> Make:
    """The application of one seed."""
    return lambda fw, log: Tree(fw, log, seed, bodies=bodies, fails=fails).build()


def tree_asks(seed: int, count: int, *, overrides: bool) -> list[Ask]:
    """Random requests for a tree, some after the overrides have changed."""
    chance = random.Random(seed)
    asks = []
    for _ in range(count):
        query = b"&".join(
            chance.sample([b"q=1", b"q=x", b"r=2", b"many=1", b"many=z", b"many=3", b"q=7"], chance.randint(0, 4))
        )
        headers = chance.sample(
            [(b"h", b"5"), (b"h", b"no"), (b"cookie", b"c=1"), (b"content-type", b"application/json")],
            chance.randint(1, 4),
        )
        body = chance.choice(
            [
                b'{"body": {"x": 1}, "other": 2}',
                b'{"body": {}}',
                b'{"other": "x"}',
                b"{}",
                b"",
                b"[1]",
                b"{",
                b'{"body":1}',
            ]
        )
        asks.append(
            Ask(
                "POST",
                chance.choice(["/1", "/2", "/2", "/x"]),
                query,
                tuple(headers),
                (body,),
                before=_override(chance.random()) if overrides and chance.random() < 0.6 else None,
            )
        )
    return asks


def _override(number: float) -> Any:
    """An edit of the overrides that `number` decides: the same for both frameworks."""

    def edit(app: Any) -> None:
        chance = random.Random(number)
        pool, replacements = app.state.pool, app.state.replacements
        kind = chance.choice(["set", "set", "replace", "clear", "chain"])
        if kind == "clear":
            app.dependency_overrides.clear()
        elif kind == "set":
            app.dependency_overrides[chance.choice(pool)] = chance.choice(replacements)
        elif kind == "chain" and len(pool) > 1:
            # A callable is only ever replaced by an earlier one, which can't depend on it.
            later = chance.randrange(1, len(pool))
            app.dependency_overrides = {pool[later]: pool[chance.randrange(later)]}
        else:
            app.dependency_overrides = {chance.choice(pool): chance.choice(replacements)}

    return edit
