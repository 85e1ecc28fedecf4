"""`ensure_multipart_is_installed` finds, and misses, what FastAPI's does."""

import sys
import types
from typing import Any

import pytest
from support.frameworks import BOTH


def _module(name: str, **content: object) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(content)
    return module


def _installed(name: str, version: str | None, parser: bool | None = None) -> dict[str, types.ModuleType | None]:
    known: dict[str, types.ModuleType | None] = {
        "python_multipart": None,
        "multipart": None,
        "multipart.multipart": None,
    }
    known[name] = _module(name, **({} if version is None else {"__version__": version}))
    if parser is not None:
        known["multipart.multipart"] = _module(
            "multipart.multipart", **({"parse_options_header": len} if parser else {})
        )
    return known


CASES: dict[str, dict[str, Any]] = {
    "neither": {"python_multipart": None, "multipart": None},
    "too old": _installed("python_multipart", "0.0.12"),
    "new enough": _installed("python_multipart", "0.0.13"),
    "newer": _installed("python_multipart", "0.0.20"),
    "without a version": _installed("python_multipart", None),
    "under its old name": _installed("multipart", "0.0.9", parser=True),
    "the other package": _installed("multipart", "1.2.1"),
    "the other package with a part of that name": _installed("multipart", "1.2.1", parser=False),
    "the other package without a version": _installed("multipart", None, parser=False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_package_for_forms_is_found_or_missed_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, found in CASES[name].items():
        monkeypatch.setitem(sys.modules, module, found)
    results = []
    for fw in BOTH:
        utils = fw.module("dependencies.utils")
        messages = {
            utils.multipart_not_installed_error: "not installed",
            utils.multipart_incorrect_install_error: "another one",
        }
        try:
            results.append(utils.ensure_multipart_is_installed())
        except RuntimeError as error:
            results.append(messages[str(error)])
    assert results[0] == results[1]
