"""How often a dependency runs that is used several times: by a route, and by its endpoint's parameters."""

import inspect
from typing import Any

import pytest
from differential.common import examples
from hypothesis import given
from hypothesis import strategies as st
from support.asgi import Ask
from support.compare import compare, compare_documents
from support.frameworks import Framework

USES = ("shared", "not shared", "scopes", "scopes, not shared")


def _marker(fw: Framework, use: str, dependency: Any) -> Any:
    shared = "not shared" not in use
    if use.startswith("scopes"):
        return fw.Security(dependency, scopes=["read"], use_cache=shared)
    return fw.Depends(dependency, use_cache=shared)


def _make(inner: str, route: list[str], endpoint: list[str], router: list[str]) -> Any:
    def make(fw: Framework, log: list[Any]) -> Any:
        def below(q: int = 1) -> int:
            log.append("below")
            return q

        async def dependency(value: Any = _marker(fw, inner, below), q: str = "") -> Any:
            log.append("dependency")
            yield value
            log.append("left")

        async def serve(**values: Any) -> Any:
            return values

        parameters = [
            inspect.Parameter(f"value{index}", inspect.Parameter.KEYWORD_ONLY, default=_marker(fw, use, dependency))
            for index, use in enumerate(endpoint)
        ]
        serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by both
        app, included = fw.FastAPI(), fw.APIRouter(dependencies=[_marker(fw, use, below) for use in router])
        included.get("/", dependencies=[_marker(fw, use, dependency) for use in route])(serve)
        app.include_router(included)
        return app

    return make


@given(st.sampled_from(USES), *[st.lists(st.sampled_from(USES), max_size=3)] * 3)
@examples(150)
def test_repeated_dependencies_run_as_often_as_in_fastapi(
    inner: str, route: list[str], endpoint: list[str], router: list[str]
) -> None:
    """What a route needs without a parameter runs once, whether it says ``use_cache=False`` or not."""
    make = _make(inner, route, endpoint, router)
    compare(make, [Ask(), Ask(query=b"q=2"), Ask(query=b"q=x")], "asgi")
    compare_documents(make)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("replacement", ["plain", "scoped"])
@pytest.mark.parametrize("original", ["plain", "scoped", "scoped below"])
def test_an_override_runs_as_often_as_what_it_stands_for_would(original: str, replacement: str, late: bool) -> None:
    """Whether security scopes tell two uses apart is decided by the dependency that is overridden."""

    def make(fw: Framework, log: list[Any]) -> Any:
        def scoped(scopes: fw.security.SecurityScopes) -> str:  # the package's own
            return scopes.scope_str

        def plain() -> str:
            return "plain"

        def below(value: Any = fw.Depends(scoped)) -> Any:
            return value

        found = {"plain": plain, "scoped": scoped, "scoped below": below}[original]

        def other_plain() -> str:
            return "other"

        def other_scoped(scopes: fw.security.SecurityScopes) -> str:  # as above
            return f"other {scopes.scope_str}"

        needed = {"plain": other_plain, "scoped": other_scoped}[replacement]

        def replacing(value: Any = fw.Depends(needed)) -> Any:
            log.append(value)
            return value

        def one(value: Any = fw.Depends(found)) -> Any:
            return value

        app = fw.FastAPI()

        def switch() -> None:
            app.dependency_overrides[found] = replacing

        first = [fw.Depends(switch)] if late else []

        @app.get("/", dependencies=first)
        def serve(
            a: Any = fw.Security(one, scopes=["a"]),
            b: Any = fw.Security(one, scopes=["b"]),
            c: Any = fw.Depends(found),
        ) -> Any:
            return [a, b, c]

        if not late:
            switch()
        return app

    compare(make, [Ask(), Ask()], "asgi")


@pytest.mark.parametrize("chain", [["a"], ["aa"], ["a", "a"], ["aa", "b"], ["ab", "a"], ["a", "ab"], ["b", ""]])
def test_what_an_override_needs_sees_each_security_scope_once(chain: list[str]) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        scopes_type = fw.security.SecurityScopes

        def overridden(scopes: scopes_type) -> None:  # the package's own
            log.append(scopes.scopes)  # type: ignore[attr-defined]

        call: Any = overridden
        for scopes in chain:

            def above(value: Any = fw.Security(call, scopes=list(scopes))) -> None: ...

            call = above

        def inner(scopes: scopes_type) -> None:  # as above
            log.append(("inner", scopes.scopes))  # type: ignore[attr-defined]

        def replacing(
            scopes: scopes_type,  # as above
            one: Any = fw.Depends(inner),
            other: Any = fw.Security(inner, scopes=["a", "c"]),
        ) -> None:
            log.append(("replacing", scopes.scopes))  # type: ignore[attr-defined]

        app = fw.FastAPI()
        app.get("/")(call)
        app.dependency_overrides[overridden] = replacing
        return app

    compare(make, [Ask()], "asgi")
