"""`import ferrapi.as_fastapi`, each time in a process of its own: what it changes can't be taken back."""

import subprocess
import sys
from pathlib import Path

import ferrapi
import pytest

_INTERNAL = ("declare", "compile", "serve")
"""Folders that no application imports from."""

_MODULES = sorted(
    ".".join(path.relative_to(Path(ferrapi.__file__).parents[1]).with_suffix("").parts).removesuffix(".__init__")
    for path in Path(ferrapi.__file__).parent.rglob("*.py")
    if not any(part in _INTERNAL or (part.startswith("_") and part != "__init__.py") for part in path.parts)
)


def _run(program: str) -> str:
    """What the program prints, which must end well."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_modules_are_the_very_same() -> None:
    """Every public one, in either order of importing, and it says FastAPI's name."""
    _run(f"""
import importlib, sys
import ferrapi.as_fastapi
for number, name in enumerate({_MODULES!r}):
    if name in ("ferrapi.as_fastapi", "ferrapi.server", "ferrapi.server.gunicorn", "ferrapi.middleware.wsgi"):
        continue
    names = [name, "fastapi" + name.removeprefix("ferrapi")]
    first, second = (importlib.import_module(each) for each in (names if number % 2 else reversed(names)))
    assert first is second, name
    assert sys.modules[names[0]] is sys.modules[names[1]] is first
    said = names[1] if name not in ("ferrapi.security.rules", "ferrapi.shadow", "ferrapi.versioning") else name
    assert first.__name__ == first.__spec__.name == said
    assert first.__package__ == first.__spec__.parent
    assert first.__spec__.loader is first.__loader__
""")


def test_forms_of_importing() -> None:
    _run("""
import ferrapi.as_fastapi
import fastapi.security.oauth2 as oauth2
import fastapi.responses
from fastapi import FastAPI, routing, Depends as D
from fastapi.routing import APIRoute
from fastapi.dependencies.utils import solve_dependencies
import ferrapi, ferrapi.routing, ferrapi.security.oauth2
assert fastapi is ferrapi and fastapi.responses is ferrapi.responses
assert FastAPI is ferrapi.FastAPI and routing is ferrapi.routing and oauth2 is ferrapi.security.oauth2
assert APIRoute is ferrapi.routing.APIRoute
fastapi.routing.replaced = 1
assert ferrapi.routing.replaced == 1
""")


def test_library_written_against_fastapi(tmp_path: Path) -> None:
    """Its routes serve in a ferrapi application, and its exceptions are ours."""
    (tmp_path / "library.py").write_text(
        "from fastapi import APIRouter, HTTPException\n"
        "from fastapi.exceptions import RequestValidationError\n"
        "router = APIRouter()\n"
        "@router.get('/{n}')\n"
        "async def read(n: int):\n"
        "    raise HTTPException(418, str(n))\n"
    )
    _run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import ferrapi.as_fastapi
import library
from ferrapi import FastAPI
from ferrapi.testclient import TestClient
app = FastAPI()
app.include_router(library.router)
client = TestClient(app)
assert client.get("/7").json() == {{"detail": "7"}}
assert client.get("/x").status_code == 422
assert library.RequestValidationError is ferrapi.exceptions.RequestValidationError
""")


def test_module_that_ferrapi_lacks() -> None:
    said = _run("""
import ferrapi.as_fastapi, sys
for name in ("fastapi.surely_not", "fastapi.surely.not"):
    try:
        __import__(name)
    except ModuleNotFoundError as exc:
        print(exc.name)
try:
    from fastapi import surely_not
except ImportError as exc:
    print(type(exc).__name__)
assert not any("surely" in name for name in sys.modules)
""")
    assert said.split() == ["fastapi.surely_not", "fastapi.surely", "ImportError"]


def test_names_that_only_begin_alike(tmp_path: Path) -> None:
    (tmp_path / "fastapi_users_of_ours.py").write_text("mine = True")
    _run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import ferrapi.as_fastapi
import fastapi_users_of_ours
assert fastapi_users_of_ours.mine
""")


@pytest.mark.parametrize("imported", ["fastapi", "fastapi.responses"])
def test_refuses_when_fastapi_is_there_already(imported: str) -> None:
    said = _run(f"""
import {imported}
real = fastapi
try:
    import ferrapi.as_fastapi
except RuntimeError as exc:
    print(exc)
import fastapi, ferrapi
assert fastapi is real and fastapi is not ferrapi
""")
    assert "already imported" in said
    assert "before anything that imports fastapi" in said


def test_installing_again_changes_nothing() -> None:
    _run("""
import sys
from ferrapi import as_fastapi
before = list(sys.meta_path)
import fastapi
as_fastapi.install()
as_fastapi.install()
assert sys.meta_path == before
""")


def test_without_it_nothing_changes() -> None:
    _run("""
import ferrapi, fastapi
assert fastapi is not ferrapi
""")


def test_module_that_fails_to_import_can_be_tried_again() -> None:
    """The error of the module itself is what the importer sees."""
    _run("""
import sys
import ferrapi.as_fastapi
sys.modules["jinja2"] = None
for _ in range(2):
    try:
        import fastapi.templating
    except ImportError as exc:
        assert "jinja2" in str(exc), exc
    else:
        raise SystemExit("imported")
assert "fastapi.templating" not in sys.modules
""")


def test_version_is_the_one_that_ferrapi_stands_for() -> None:
    """For those who read the attribute and for those who ask for the metadata, whatever is installed."""
    said = _run("""
from importlib import metadata
import ferrapi.as_fastapi
import fastapi, ferrapi
assert metadata.version("ferrapi") != "0.165.0"
print(fastapi.__version__, metadata.version("fastapi"), metadata.version("FastAPI"))
print(metadata.distribution("fastapi").metadata["Name"], metadata.packages_distributions()["fastapi"][0])
print(next(one.version for one in metadata.distributions() if one.metadata["Name"] == "fastapi"))
""")
    assert said.split() == ["0.165.0", "0.165.0", "0.165.0", "fastapi", "fastapi", "0.165.0"]


def test_version_without_it() -> None:
    said = _run(
        "import ferrapi; from importlib import metadata; print(ferrapi.__version__, metadata.version('ferrapi'))"
    )
    assert said.split()[0] != "0.165.0"


def test_private_modules_may_be_imported_by_either_name() -> None:
    """Those that FastAPI has get its name. The others are there for those who walk over the package's folder."""
    said = _run("""
import importlib
import ferrapi.as_fastapi
for name in ("_compat", "_compat.v2", "_compat.shared", "_body_limit", "_version_counter", "compile.plan", "_names"):
    module = importlib.import_module("fastapi." + name)
    assert module is importlib.import_module("ferrapi." + name)
    print(module.__name__ == module.__spec__.name == "fastapi." + name)
""")
    assert said.split() == ["True"] * 4 + ["False"] * 3


def test_names_that_fastapis_modules_merely_hold() -> None:
    _run("""
import ferrapi.as_fastapi
import fastapi
from fastapi.routing import Enum, Request, jsonable_encoder, solve_dependencies, _merge_lifespan_context
from fastapi.dependencies.utils import _get_body_field, AsyncIterator, params
from fastapi._compat import ModelField, is_bytes_or_nonable_bytes_annotation
from fastapi.applications import get_swagger_ui_html
assert fastapi.dependencies.utils.params is fastapi.params
for name in ("surely_not", "_surely_not", "telemetry_of_mine"):
    assert not hasattr(fastapi, name)
    assert getattr(fastapi.routing, name, None) is None
""")


def test_import_hooks_find_the_modules_by_fastapis_names() -> None:
    """Tools that wait for an import look into the module's `__name__` then (`wrapt`, Datadog's)."""
    assert _run(
        "import ferrapi.as_fastapi, fastapi, fastapi.routing, ferrapi.routing;"
        "print(fastapi.__name__, fastapi.routing.__name__, fastapi.routing is ferrapi.routing)"
    ).split() == ["fastapi", "fastapi.routing", "True"]


def test_functions_that_are_replaced_under_fastapis_names_are_called() -> None:
    code = """
import ferrapi.as_fastapi
import fastapi.routing
from fastapi.testclient import TestClient
app = fastapi.FastAPI()
@app.get("/")
async def root(): return 1
with TestClient(app) as client:
    client.get("/")
    own, seen = fastapi.routing.serialize_response, []
    async def replaced(**values):
        seen.append(values["response_content"])
        return await own(**values)
    fastapi.routing.serialize_response = replaced
    client.get("/")
    fastapi.routing.serialize_response = own
    client.get("/")
    print(seen)
"""
    assert _run(code).strip() == "[1]"
