"""The import cycles of the package, and imports against the direction of its layers.

Also those that an import inside of a function or for type checkers hides. ``python scripts/import_cycles.py`` fails if
there is one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "ferrapi"


def modules() -> dict[str, Path]:
    """The package's modules by name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported(node: ast.Import | ast.ImportFrom, package: list[str], known: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    start = package[: len(package) - node.level + 1] if node.level else []
    base = ".".join([*start, *([node.module] if node.module else [])])
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in known else base


def imports(known: dict[str, Path]) -> dict[str, set[str]]:
    """What each module imports of the package, wherever in it the import stands."""
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        nodes = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        found = {target for node in nodes for target in _imported(node, package, known)}
        graph[name] = (found & known.keys()) - {name}
    return graph


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    pending = list(graph[start])
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(graph[name])
    return seen


def cycles(graph: dict[str, set[str]]) -> list[frozenset[str]]:
    """The sets of modules each of which needs, directly or not, all others of its set."""
    reachable = {name: _reachable(name, graph) for name in graph}
    found = {
        frozenset({name, *(other for other in reachable[name] if name in reachable[other])})
        for name in graph
        if name in reachable[name]
    }
    return sorted(found, key=sorted)


LAYERS = ("declare", "compile", "serve", "routing")
"""The folders that make up the way of a route, each of which needs only those before it."""


def upwards(graph: dict[str, set[str]]) -> list[str]:
    """What in a layer needs a later one, directly or not: each as a sentence."""
    places = {name: LAYERS.index(layer) for name in graph if (layer := [*name.split("."), ""][1]) in LAYERS}
    found = []
    for name, place in sorted(places.items()):
        for target in sorted(graph[name]):
            above = {one for one in {target, *_reachable(target, graph)} if places.get(one, 0) > place}
            if above:
                found.append(f"{name} needs {', '.join(sorted(above))} by way of {target}")
    return found


def main() -> int:
    """Say which cycles and imports against the layers there are; 1 if there is any."""
    graph = imports(modules())
    found = [f"an import cycle: {', '.join(sorted(cycle))}" for cycle in cycles(graph)] + upwards(graph)
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
