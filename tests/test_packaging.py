"""What an installation of ferrapi holds, and what importing it costs."""

import json
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "python"
# What an application may do without must not be loaded with the package.
UNWANTED = {
    *("email_validator", "httptools", "httpx", "httpx2", "itsdangerous", "jinja2", "multipart", "orjson"),
    *("pydantic_settings", "python_multipart", "ujson", "uvicorn", "uvloop", "websockets", "yaml"),
    *("ferrapi.openapi.docs", "ferrapi.openapi._document", "ferrapi.testclient", "starlette.testclient"),
}


@pytest.fixture(scope="module")
def installed() -> Distribution:
    """The installed distribution, if it is a wheel's; an editable installation has no files of its own."""
    found = distribution("ferrapi")
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("ferrapi is installed in editable mode")
    return found


def _files(installed: Distribution) -> set[str]:
    """What the wheel put beside other packages; not the command, nor what was compiled since."""
    files = {path.as_posix() for path in installed.files or ()}
    return {path for path in files if not path.endswith(".pyc") and not path.startswith("../")}


def _sources() -> set[str]:
    files = {path.relative_to(SOURCE).as_posix() for path in (SOURCE / "ferrapi").rglob("*") if path.is_file()}
    return {path for path in files if not path.endswith((".pyc", ".so", ".pyd"))}


def test_holds_the_package_and_one_native_module(installed: Distribution) -> None:
    """Every file of `python/ferrapi` (so `py.typed`, the stub and the documentation's assets) and nothing else."""
    packaged = {path for path in _files(installed) if not path.split("/")[0].endswith(".dist-info")}
    native = f"ferrapi/_native{EXTENSION_SUFFIXES[0]}"
    assert packaged == _sources() | {native}
    assert {"ferrapi/py.typed", "ferrapi/_native.pyi", "ferrapi/openapi/assets/manifest.json"} <= packaged


def test_carries_the_licences_of_what_it_bundles(installed: Distribution) -> None:
    licences = {Path(path).name for path in _files(installed) if ".dist-info/licenses/" in path}
    bundled = {path.name for path in (SOURCE / "ferrapi/openapi/assets").glob("*LICENSE*")}
    assert bundled
    assert {"LICENSE", *bundled} <= licences


def test_metadata(installed: Distribution) -> None:
    """The requirements of the core are few; what only some applications need is an extra."""
    requirements = {
        line.split(";")[0].split(">")[0].strip() for line in installed.requires or () if "extra" not in line
    }
    assert requirements == {"starlette", "pydantic", "anyio", "typing-extensions", "annotated-doc"}
    assert installed.metadata["Requires-Python"] == ">=3.11"
    assert installed.metadata["Summary"]
    assert sorted(installed.metadata.get_all("Provides-Extra") or ()) == ["all", "migrate", "opentelemetry", "standard"]


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_import_loads_nothing_optional() -> None:
    """Nothing but what Starlette's `Request` loads by itself (python-multipart, where that is installed)."""
    assert (_modules_after("import ferrapi") - _modules_after("import starlette.requests")) & UNWANTED == set()


def test_import_loads_less_than_fastapi() -> None:
    """Beyond asyncio, which FastAPI, too, loads once it serves."""
    ours, theirs = _modules_after("import asyncio, ferrapi"), _modules_after("import asyncio, fastapi")
    assert len(ours) < len(theirs)


def test_version_is_the_distributions() -> None:
    import ferrapi

    assert ferrapi.__version__ == distribution("ferrapi").version
