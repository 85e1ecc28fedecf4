"""The JSON responses that need a package of their own, and the names that the module has."""

import subprocess
import sys
import warnings
from typing import Any

import pytest
from _oracle import Framework, same
from ferrapi import responses
from ferrapi.exceptions import FastAPIDeprecationWarning, UsageError
from support.naming import steady_name

OLD = {"ORJSONResponse": "orjson", "UJSONResponse": "ujson"}
CONTENTS = [{"a": 1}, {1: 2}, float("nan"), "é", "<&>", [None, True], {"a": "\u2028/"}, {"b": 1, "a": (1, 2)}]


@pytest.mark.parametrize("content", CONTENTS, ids=steady_name)
@pytest.mark.parametrize("name", OLD)
def test_the_older_json_responses(name: str, content: Any) -> None:
    pytest.importorskip(OLD[name])

    def question(framework: Framework) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = getattr(framework.responses, name)(content, status_code=201, headers={"x": "y"})
        return made.status_code, made.body, made.raw_headers

    same(question)


@pytest.mark.parametrize("name", OLD)
def test_making_or_deriving_from_them_warns_the_application(name: str) -> None:
    pytest.importorskip(OLD[name])
    old = getattr(responses, name)
    for use in (lambda: old({}), lambda: type("Derived", (old,), {})):
        with pytest.warns(FastAPIDeprecationWarning, match=f"{name} is deprecated") as caught:
            use()
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("name", OLD)
def test_the_package_has_to_be_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, OLD[name], None)
    with pytest.warns(FastAPIDeprecationWarning), pytest.raises(UsageError, match=f"{OLD[name]} must be installed"):
        getattr(responses, name)({})


def test_importing_the_module_does_not_import_the_packages() -> None:
    code = "import sys, ferrapi.responses; print(sorted({'orjson', 'ujson'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_classes_are_starlettes_own() -> None:
    same(lambda framework: sorted(name for name in vars(framework.responses) if name.endswith("Response")))
    assert responses.JSONResponse.__module__ == "starlette.responses"
