"""What `frontend()` refuses, warns about, and leaves for later."""

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from support.frameworks import BOTH, FASTAPI, FERRAPI, Framework


def _outcome(fw: Framework, on_router: bool, path: Any, options: dict[str, Any]) -> Any:
    """How declaring ends: the kind of error, and the warnings with the file that they point at."""
    target = fw.APIRouter() if on_router else fw.FastAPI()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            target.frontend(path, **options)
            ended = "declared"
        except RuntimeError:
            ended = "refused"
        except AssertionError:
            ended = "refused"
    return ended, [(warning.category, Path(warning.filename).name) for warning in caught]


def _same(path: Any, **options: Any) -> Any:
    outcomes = [_outcome(fw, on_router, path, options) for fw in BOTH for on_router in (False, True)]
    assert all(outcome == outcomes[0] for outcome in outcomes), outcomes
    return outcomes[0]


@pytest.mark.parametrize("path", ["", "shop", "/", "/shop", "/shop/", "/shop//", "//", "///", "/{name}", "/a b", None])
def test_paths(sites: Path, path: Any) -> None:
    _same(path, directory=sites / "shop")


@pytest.mark.parametrize("fallback", ["auto", "index.html", "404.html", None, "", "other.html", False, True, 0])
@pytest.mark.parametrize("directory", ["shop", "lost", "bare", "odd", "absent", "outside.txt"])
@pytest.mark.parametrize("check_dir", ["auto", True, False, None, "yes", 0])
def test_fallbacks_and_directories(sites: Path, fallback: Any, directory: str, check_dir: Any) -> None:
    _same("/", directory=sites / directory, fallback=fallback, check_dir=check_dir)


@pytest.mark.parametrize("environment", ["development", "Development", "production", ""])
@pytest.mark.parametrize("directory", ["shop", "bare", "absent", "outside.txt"])
@pytest.mark.parametrize("check_dir", ["auto", True, False])
def test_environments(
    sites: Path, monkeypatch: pytest.MonkeyPatch, environment: str, directory: str, check_dir: Any
) -> None:
    monkeypatch.setenv("FASTAPI_ENV", environment)
    _same("/", directory=sites / directory, fallback="index.html", check_dir=check_dir)


def test_warning_points_at_the_line_that_declares(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAPI_ENV", "development")
    outcome = _same("/", directory=sites / "absent")
    assert outcome == ("declared", [(UserWarning, "test_declaring.py")])


def test_errors_name_the_directory_as_given_and_as_resolved(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sites)
    for options, missing in (
        ({"directory": "absent"}, "absent"),
        ({"directory": "bare", "fallback": "404.html"}, "bare"),
    ):
        with pytest.raises(RuntimeError) as raised:
            FERRAPI.FastAPI().frontend("/", **options)
        assert f"'{missing}'" in str(raised.value)
        assert os.fspath(sites / missing) in str(raised.value)


def test_mistaken_dependency_is_raised_when_declaring(sites: Path) -> None:
    for fw in BOTH:
        router = fw.APIRouter(dependencies=[fw.Depends(None)])
        with pytest.raises((AssertionError, TypeError)):
            router.frontend("/", directory=sites / "shop")


def test_is_neither_a_route_nor_documented(sites: Path) -> None:
    """It can't be looked up by name, and leaves no trace in the document."""
    for fw in BOTH:
        app = fw.FastAPI()
        before = len(app.routes)
        app.frontend("/", directory=sites / "shop")
        assert len(app.routes) == before
        assert app.openapi()["paths"] == {}
        with pytest.raises(fw.routing.NoMatchFound):
            app.url_path_for("frontend")


def test_signature_is_fastapis() -> None:
    import inspect

    for name in ("FastAPI", "APIRouter"):
        theirs, ours = (inspect.signature(getattr(fw, name).frontend).parameters for fw in (FASTAPI, FERRAPI))
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in theirs.values()
        ]
