"""Names that FastAPI's modules hold besides those they offer: what they merely import, and private ones.

The first half walks over all modules of FastAPI with ``dir()``. The second calls the private functions of both packages
with the same arguments.
"""

import json
import pkgutil
import subprocess
import sys
import types
from importlib import import_module
from typing import Any

import fastapi
import pytest
from ferrapi._imported_names import _TABLE, origins

pytestmark = pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi is deprecated")

NOT_OFFERED = {
    "_compat.shared": "_annotation_is_complex _annotation_is_sequence",
    "_compat.v2": "_Attrs _annotation_has_computed_fields _pydantic_typing_extra",
    "_body_limit": "_BodyLimitExceptionMiddleware _body_limit_errors _response_sent",
    "_form_limits": "_form_limits_adapter",
    "concurrency": (
        "_T _asynccontextmanager_with_shielded_exit _contextmanager_with_concurrency_limit _dependency_semaphores"
    ),
    "dependencies.models": (
        "_CALLABLE_CLASSIFICATION_CACHE_SIZE _CallIdentity _UsesScopesCache _impartial _is_async_gen_callable_cached "
        "_is_coroutine_callable_cached _is_gen_callable_cached"
    ),
    "dependencies.utils": (
        "_STREAM_ORIGINS _UsesScopesCache _add_form_union_validators _apply_form_body_schema "
        "_asynccontextmanager_with_shielded_exit _contextmanager_with_concurrency_limit _extract_form_model "
        "_get_form_model_schema _solve_generator"
    ),
    "openapi.docs": "_html_safe_json",
    "openapi.utils": "_SSE_EVENT_SCHEMA _UsesScopesCache _get_api_route_for_openapi",
    "responses": "_OrjsonModule _UjsonModule",
    "routing": (
        "_APIRouteLike _AsyncLiftContextManager _FASTAPI_FRONTEND_PATH_KEY _FASTAPI_FRONTEND_SPECIFICITY_KEY "
        "_FrontendRoute _FrontendRouteGroup _FrontendStaticFiles _RouteWithPath _SCOPE_MISSING "
        "_apply_router_form_limits _effective_route_context_var _endpoint_context_cache "
        "_frontend_dependency_endpoint _frontend_path_specificity _frontend_scope_specificity "
        "_get_resolved_absolute_path _is_frontend_navigation_request _iter_accept_media_types _join_frontend_paths "
        "_normalize_frontend_path _populate_api_route_state _resolve_form_limits _resolve_frontend_check_dir "
        "_restore_fastapi_scope_key _get_scope_included_router _iter_included_route_candidates"
    ),
    "sse": (
        "_SSE_EVENT_SCHEMA _PING_INTERVAL _check_event_single_line _check_id_valid _check_single_line _split_sse_lines"
    ),
    "utils": "_invalid_args_message",
}
"""Private names without a use in the libraries that were looked at, or that have no counterpart here."""


OTHERWISE = {"EmailStr", "ParamSpec"}
"""An email address is checked when one is seen, by a class of ferrapi's own; type variables come from `typing`."""


def _modules() -> list[str]:
    found = [name for _, name, _ in pkgutil.walk_packages(fastapi.__path__, "fastapi.")]
    return ["", *(name.removeprefix("fastapi.") for name in found if "telemetry" not in name and "__" not in name)]


def _module(package: str, name: str) -> types.ModuleType:
    return import_module(f"{package}.{name}" if name else package)


def _names(module: types.ModuleType) -> list[str]:
    return [name for name in dir(module) if not (name.startswith("__") and name.endswith("__"))]


def _is_telemetry(name: str, value: Any) -> bool:
    """Whether this is what FastAPI records by; of that, ferrapi has the public names."""
    home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
    of_telemetry = isinstance(home, str) and home.startswith("fastapi.telemetry")
    return of_telemetry and name not in ("TelemetryConfig", "get_telemetry_data", "telemetry")


@pytest.mark.parametrize("name", _modules())
def test_every_name_that_fastapis_module_holds_is_there(name: str) -> None:
    theirs, ours = _module("fastapi", name), _module("ferrapi", name)
    expected = {one for one in _names(theirs) if not _is_telemetry(one, getattr(theirs, one))}
    missing = {one for one in expected if not hasattr(ours, one)}
    assert missing <= set(NOT_OFFERED.get(name, "").split())


@pytest.mark.parametrize("name", _modules())
def test_names_of_other_packages_are_the_same_objects(name: str) -> None:
    """Classes, functions and modules; what is neither is compared by value where it has one."""
    theirs, ours = _module("fastapi", name), _module("ferrapi", name)
    for one in _names(theirs):
        value = getattr(theirs, one)
        home = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None)
        if home is None or home.startswith("fastapi") or one in OTHERWISE:
            continue
        if isinstance(value, type | types.FunctionType | types.ModuleType):
            assert getattr(ours, one, value) is value, one


@pytest.mark.parametrize("name", list(_TABLE))
def test_no_name_is_offered_that_fastapis_module_does_not_have(name: str) -> None:
    for module in _modules():  # which a package holds when somebody has imported it
        _module("fastapi", module)
    theirs = _module("fastapi", name)
    assert [one for one in origins(name) if not hasattr(theirs, one)] == []


@pytest.mark.parametrize("name", _modules())
def test_unknown_name_is_an_attribute_error_that_says_so(name: str) -> None:
    ours = _module("ferrapi", name)
    for unknown in ("surely_not", "_surely_not", "__surely_not__"):
        assert not hasattr(ours, unknown)
        if "__getattr__" in vars(ours):
            with pytest.raises(AttributeError, match=f"module '{ours.__name__}' has no attribute '{unknown}'"):
                getattr(ours, unknown)


def _run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_name_of_a_package_that_is_not_installed_is_none_as_fastapis_is() -> None:
    program = """
import sys
sys.modules["orjson"] = sys.modules["ujson"] = None
import {0}.responses
print({0}.responses.orjson, {0}.responses.ujson)
"""
    assert _run(program.format("ferrapi")) == _run(program.format("fastapi")) == "None None"


def test_names_that_are_replaced_are_found_as_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    import ferrapi.routing as routing

    monkeypatch.setattr(routing, "Enum", 1)
    assert routing.Enum == 1  # type: ignore[attr-defined]  # merely imported there
    monkeypatch.undo()
    assert routing.Enum.__module__ == "enum"  # type: ignore[attr-defined]


_HINTED_MODULES = ["openapi.utils", "openapi.docs", "routing", "encoders", "utils", "exception_handlers"]

_PRINT_HINTED = """
import json, types, typing
from importlib import import_module

def evaluated(value):
    try:
        typing.get_type_hints(value)
    except NameError:
        return False
    return True

print(json.dumps({
    name: [
        one
        for one, value in vars(import_module(f"PACKAGE.{name}")).items()
        if isinstance(value, types.FunctionType) and evaluated(value)
    ]
    for name in NAMES
}))
"""


def _hinted(package: str) -> dict[str, list[str]]:
    """The functions of a package's modules whose type hints can be evaluated.

    In a process of its own: evaluating a type that holds itself (pydantic's `IncEx`) keeps a result in objects that
    all share, and Python 3.11 compares two of those without an end.
    """
    found: dict[str, list[str]] = json.loads(
        _run(_PRINT_HINTED.replace("PACKAGE", package).replace("NAMES", repr(_HINTED_MODULES)))
    )
    return found


def test_type_hints_are_evaluated_where_fastapis_are() -> None:
    ours, theirs = _hinted("ferrapi"), _hinted("fastapi")
    for name in _HINTED_MODULES:
        expected = set(theirs[name]) & vars(import_module(f"ferrapi.{name}")).keys()
        assert expected - set(ours[name]) == set(), name
        assert expected, name
