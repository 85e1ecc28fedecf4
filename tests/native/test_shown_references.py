"""Native objects show the garbage collector each reference that they own: the sources are read for those that don't."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "rust" / "src"
PUB = r"(?:pub(?:\([^)]*\))? )?"
TYPE = re.compile("^" + PUB + r"(struct|enum) (\w+)(<[^>{(]*>)?(.*?)(?:^\}|;$)", re.DOTALL | re.MULTILINE)
SHOWS = re.compile(r"^    " + PUB + r"fn (?:__traverse__|traverse|visit)\b.*?^    \}", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^\s*" + PUB + r"(\w+): (.+?),?$", re.MULTILINE)
VARIANT = re.compile(r"^    (\w+)\s*(\(.*?\)|\{.*?\})?,", re.DOTALL | re.MULTILINE)
INNER = re.compile(r"(\w+): ([^,]+)")
REFERENCE = re.compile(r"\bPy<(?:\w+::)*(\w+)")
ROOT = re.compile(r"#\[pyclass[^\n]*\n(?:#[^\n]*\n)*" + PUB + r"struct (\w+)|^impl Flow for (\w+)", re.MULTILINE)
LEAVES = {"PyString", "PyBytes", "VersionCounter", "Ready"}
"""Objects that refer to nothing, so that no cycle leads through them."""
TEXTS = {"fed", "status_lines"}
"""Fields with a tuple or a dictionary of texts and bytes."""


@dataclass
class Type:
    """A type of the sources.

    Attributes:
        fields: or variants, each with its type or types.
        is_root: whether it is a class of Python's, or what such an object runs.
        inner: the types in it.
        owns: whether it owns a reference that may be a part of a cycle.
    """

    path: Path
    name: str
    fields: list[tuple[str, str]]
    is_root: bool
    inner: list["Type"] = field(default_factory=list)
    owns: bool = False


def owned(kind: str) -> bool:
    """Whether a field of a type, given as text, is such a reference. No error can be shown: see `KeptError`."""
    return not LEAVES.issuperset(REFERENCE.findall(kind)) or "PyErr" in kind or "PyResult" in kind


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _types(texts: dict[Path, str]) -> Iterator[Type]:
    for path, text in texts.items():
        roots = {name for names in ROOT.findall(text) for name in names}
        for form, name, parameters, body in TYPE.findall(re.sub(r"//[^\n]*|#\[[^\n]*\]", "", text)):
            if "'" in parameters:
                continue  # it borrows, so nothing keeps it
            if form == "enum":
                fields = VARIANT.findall(body)
                fields += [one for _, content in fields if content[:1] == "{" for one in INNER.findall(content)]
            else:
                fields = [("0", body)] if body.startswith("(") else FIELD.findall(body)
            yield Type(path, name, fields, name in roots)


def _nearest(types: list[Type], path: Path) -> Type:
    """Which of several types of one name the text in a file means."""
    return max(types, key=lambda one: sum(a == b for a, b in zip(one.path.parts, path.parts, strict=False)))


def _kept(texts: dict[Path, str]) -> list[Type]:
    """The types of which native objects are made."""
    named: dict[str, list[Type]] = {}
    for one in _types(texts):
        named.setdefault(one.name, []).append(one)
    every = [one for types in named.values() for one in types]
    for one in every:
        words = _words(" ".join(REFERENCE.sub("", kind) for _, kind in one.fields))
        one.inner = [_nearest(named[word], one.path) for word in sorted(words & named.keys())]
        one.owns = any(owned(kind) for _, kind in one.fields)
    while more := [one for one in every if not one.owns and any(inner.owns for inner in one.inner)]:
        for one in more:
            one.owns = True
    kept = [one for one in every if one.is_root]
    for one in kept:
        kept += [inner for inner in one.inner if not any(inner is known for known in kept)]
    return kept


def _hidden(texts: dict[Path, str]) -> dict[str, list[str]]:
    """By type, the fields and variants that own references and that nobody shows who knows the type."""
    hidden: dict[str, list[str]] = {}
    words = {path: _words(text) for path, text in texts.items()}
    shows = {path: _words("\n".join(SHOWS.findall(text))) for path, text in texts.items()}
    for one in (one for one in _kept(texts) if one.owns):
        shown = set().union(*(shows[path] for path in texts if path == one.path or one.name in words[path]))
        for name, kind in one.fields:
            names = _words(kind)
            owns = owned(kind) or any(inner.owns and inner.name in names for inner in one.inner)
            if owns and name not in TEXTS and name not in shown:
                hidden.setdefault(f"{one.path.relative_to(SOURCES)}: {one.name}", []).append(name)
    return hidden


@pytest.mark.skipif(not SOURCES.is_dir(), reason="needs the native sources")
def test_every_reference_is_shown() -> None:
    texts = {path: path.read_text() for path in sorted(SOURCES.rglob("*.rs"))}
    names = {one.name for one in _kept(texts)}
    assert {"Machine", "Program", "Connection", "Early", "KeptError"} <= names
    assert not _hidden(texts)


def test_what_is_not_shown_is_found() -> None:
    text = """
#[pyclass(frozen)]
struct Outer {
    first: Py<PyAny>,
    second: Option<Inner>,
    third: Py<PyBytes>,
}

enum Inner {
    Nothing,
    Waits(Py<PyAny>),
    Holds { status: u16, one: Py<PyAny> },
    Failed(PyResult<()>),
}

struct Passing {
    one: Py<PyAny>,
}

impl Outer {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.second {
            Some(Inner::Waits(object)) => visit.call(object),
            Some(Inner::Holds { .. }) => Ok(()),
            _ => Ok(()),
        }
    }
}
"""
    path = SOURCES / "a.rs"
    assert _hidden({path: text}) == {"a.rs: Outer": ["first"], "a.rs: Inner": ["Failed", "one"]}
