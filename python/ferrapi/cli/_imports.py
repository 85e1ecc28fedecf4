"""Changing the imports of `fastapi` in one Python file to `ferrapi`, with LibCST: nothing else of the file changes.

What can't be changed with certainty is left, and reported: names that ferrapi doesn't have, modules named in texts
(targets of `mock.patch`, annotations in quotes), libraries that import `fastapi` themselves.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    Assignment,
    ImportAssignment,
    MetadataWrapper,
    PositionProvider,
    Scope,
    ScopeProvider,
)

_OLD, _NEW = "fastapi", "ferrapi"
_NAMED_IN_TEXT = re.compile(r"fastapi(\.[A-Za-z_]\w*)*")
_LIBRARY = re.compile(r"fastapi_\w+")


@dataclass(frozen=True)
class Left:
    """Something that was not changed.

    Attributes:
        line: where it is.
        message: what it is, and what to do.
    """

    line: int
    message: str


@dataclass
class Changed:
    """A file after the change.

    Attributes:
        content: its bytes.
        imports: how many imports were changed.
        left: what was not.
    """

    content: bytes
    imports: int = 0
    left: list[Left] = field(default_factory=list)


def change_imports(content: bytes, own: Collection[str] = ()) -> Changed:
    """Change the imports in a file's content.

    Parameters:
        content: the file's.
        own: packages of the project itself, which are no libraries.

    Raises:
        SyntaxError: when it is no Python.
    """
    try:
        module = cst.parse_module(content)
    except cst.ParserSyntaxError as exc:
        raise SyntaxError(f"line {exc.raw_line}: {exc.message}") from exc
    except (UnicodeError, LookupError) as exc:
        raise SyntaxError(str(exc)) from exc
    wrapper = MetadataWrapper(module)
    change = _Change(_Names(wrapper), own)
    changed = wrapper.visit(change)
    return Changed(changed.bytes, change.imports, sorted(change.left, key=lambda one: one.line))


class _Names:
    """What the name ``fastapi`` means in a file.

    Attributes:
        keeps: whether the name has to stay, because something else is bound to it, or the new one is taken.
        uses: the nodes that mean the imported package, by identity.
    """

    def __init__(self, wrapper: MetadataWrapper) -> None:
        self.keeps = False
        self.uses: set[int] = set()
        if not any(_is_plain(node) for node in m.findall(wrapper.module, m.Import())):
            return  # looking at scopes takes most of the time
        scopes = {scope for scope in wrapper.resolve(ScopeProvider).values() if scope is not None}
        mine = [one for scope in scopes for one in scope.assignments if _is_package(one)]
        self.keeps = any(_binds_otherwise(scope, mine) for scope in scopes)
        for assignment in mine:
            for access in assignment.references:
                node: cst.BaseExpression = access.node
                while isinstance(node, cst.Attribute):
                    node = node.value
                if isinstance(node, cst.Name) and node.value == _OLD:
                    self.uses.add(id(node))


def _is_plain(node: object) -> bool:
    """Whether a node is ``import fastapi`` or ``import fastapi.x``, without ``as``."""
    return isinstance(node, cst.Import) and any(
        alias.asname is None and alias.evaluated_name.partition(".")[0] == _OLD for alias in node.names
    )


def _is_package(assignment: object) -> bool:
    """Whether an assignment is the package's name, by such an import."""
    if not isinstance(assignment, ImportAssignment) or assignment.name.partition(".")[0] != _OLD:
        return False
    return _is_plain(assignment.node)


def _binds_otherwise(scope: Scope, mine: Sequence[object]) -> bool:
    if not mine:
        return False
    others = [one for one in scope.assignments if one.name in (_OLD, _NEW) and one not in mine]
    return any(isinstance(one, Assignment) for one in others)


class _Change(cst.CSTTransformer):
    """Changes imports and the uses of the package's name, and notes what it leaves.

    Parameters:
        names: what the package's name means.
        own: packages of the project itself.
    """

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, names: _Names, own: Collection[str]) -> None:
        super().__init__()
        self._known = set(own)  # what is no library, or has been reported
        self._names = names
        self.imports = 0
        self.left: list[Left] = []

    def _leave(self, node: cst.CSTNode, message: str) -> None:
        self.left.append(Left(self.get_metadata(PositionProvider, node).start.line, message))

    def _look_at(self, package: str, node: cst.CSTNode) -> None:
        """Note the import of a library that is written against FastAPI."""
        if _LIBRARY.fullmatch(package) and package not in self._known:
            self._known.add(package)
            advice = "`import ferrapi.as_fastapi` before it (docs/migrating.md)"
            self._leave(node, f"{package} imports fastapi itself: {advice}")

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        """Change ``import fastapi.x as y``."""
        aliases = [
            self._alias(before, after) for before, after in zip(original_node.names, updated_node.names, strict=True)
        ]
        return updated_node.with_changes(names=aliases)

    def _alias(self, original: cst.ImportAlias, updated: cst.ImportAlias) -> cst.ImportAlias:
        name = original.evaluated_name
        package, _, below = name.partition(".")
        self._look_at(package, original)
        if package != _OLD:
            return updated
        if not _module_is_there(name):
            self._leave(original, f"import {name}: ferrapi has no such module")
            return updated
        if self._names.keeps and original.asname is None and below:
            self._leave(original, f"import {name}: the name fastapi means something else in this file too")
            return updated
        self.imports += 1
        changed = updated.with_changes(name=_renamed(updated.name))
        if self._names.keeps and original.asname is None:
            return changed.with_changes(asname=cst.AsName(cst.Name(_OLD)))
        return changed

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        """Change ``from fastapi.x import y``."""
        name = get_full_name_for_node(original_node.module) if original_node.module is not None else None
        if name is None or original_node.relative:
            return updated_node
        package = name.partition(".")[0]
        self._look_at(package, original_node)
        if package != _OLD or updated_node.module is None:
            return updated_node
        missing = _missing(name, original_node.names)
        if missing:
            self._leave(original_node, f"from {name} import {', '.join(missing)}: ferrapi has no such thing")
            return updated_node
        self.imports += 1
        return updated_node.with_changes(module=_renamed(updated_node.module))

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        """Change a use of the package's name."""
        if self._names.keeps or id(original_node) not in self._names.uses:
            return updated_node
        return updated_node.with_changes(value=_NEW)

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        """Note a text that names FastAPI or something in it."""
        text = node.evaluated_value
        if isinstance(text, str) and _NAMED_IN_TEXT.fullmatch(text):
            new = text.replace(_OLD, _NEW, 1)
            self._leave(node, f"the text {node.value} names FastAPI: is it {new!r} now?")


def _renamed(node: cst.BaseExpression) -> cst.BaseExpression:
    """A dotted name with the package's new name."""
    if isinstance(node, cst.Attribute):
        return node.with_changes(value=_renamed(node.value))
    return cst.ensure_type(node, cst.Name).with_changes(value=_NEW)


def _module_is_there(name: str) -> bool:
    try:
        importlib.import_module(name.replace(_OLD, _NEW, 1))
    except ImportError:
        return False
    return True


def _missing(module: str, names: Sequence[cst.ImportAlias] | cst.ImportStar) -> list[str]:
    """The names that ferrapi's module of the same name doesn't have."""
    if not _module_is_there(module):
        return ["*"] if isinstance(names, cst.ImportStar) else [alias.evaluated_name for alias in names]
    return [] if isinstance(names, cst.ImportStar) else list(_not_in(module, names))


def _not_in(module: str, names: Sequence[cst.ImportAlias]) -> Iterator[str]:
    found = importlib.import_module(module.replace(_OLD, _NEW, 1))
    for alias in names:
        name = alias.evaluated_name
        if not hasattr(found, name) and not _module_is_there(f"{module}.{name}"):
            yield name
