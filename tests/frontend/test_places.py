"""Front ends in included routers: their places, and the limits of the includes above them."""

from pathlib import Path
from typing import Any

import pytest
from differential.common import examples
from hypothesis import given
from hypothesis import strategies as st
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework

SITE = Path()
LIMITS = st.sampled_from((None, 5, 100))
ASKS = [
    Ask(method, path, headers=headers, body=[b"x" * 20])
    for path in ("/p/f/", "/p/in/f/", "/q/f/", "/q/in/f/", "/p/none")
    for method in ("GET", "POST")
    for headers in ([], [(b"content-length", b"20")])
]


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory: pytest.TempPathFactory) -> None:
    global SITE
    SITE = tmp_path_factory.mktemp("site")
    (SITE / "index.html").write_text("index")


def _keyword(limit: int | None) -> dict[str, int]:
    return {} if limit is None else {"max_body_size": limit}


@given(LIMITS, LIMITS, LIMITS, LIMITS, LIMITS, st.booleans())
@examples(60)
def test_each_place_of_a_front_end_has_the_limits_of_its_includes(
    app_limit: int | None,
    router_limit: int | None,
    include_limit: int | None,
    inner_limit: int | None,
    inner_include_limit: int | None,
    reads: bool,
) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        async def read(request: fw.Request) -> None:  # the package's own
            log.append(await request.body())

        guards = [fw.Depends(read)] if reads else []
        app = fw.FastAPI(**_keyword(app_limit))
        router = fw.APIRouter(dependencies=guards, **_keyword(router_limit))
        inner = fw.APIRouter(dependencies=guards, **_keyword(inner_limit))
        router.frontend("/f", directory=SITE)
        inner.frontend("/f", directory=SITE)
        router.include_router(inner, prefix="/in", **_keyword(inner_include_limit))
        app.include_router(router, prefix="/p", **_keyword(include_limit))
        app.include_router(router, prefix="/q")
        return app

    compare(make, ASKS, "asgi")


def test_low_priority_routes_are_the_front_ends_of_each_router() -> None:
    def places(fw: Framework) -> list[Any]:
        def guard() -> None: ...

        app, router, bare, inner = (
            fw.FastAPI(),
            fw.APIRouter(),
            fw.APIRouter(),
            fw.APIRouter(dependencies=[fw.Depends(guard)]),
        )
        router.frontend("/f", directory=SITE)
        inner.frontend("/f", directory=SITE)
        inner.frontend("/g", directory=SITE)
        bare.include_router(inner, prefix="/in", dependencies=[fw.Depends(guard)])
        router.include_router(bare, prefix="/bare")
        app.include_router(router, prefix="/p", dependencies=[fw.Depends(guard)], max_body_size=9, tags=["t"])
        app.include_router(inner)
        app.include_router(bare, prefix="/q")
        return [
            [
                [
                    one.frontend_prefix,
                    one.path,
                    one.name,
                    one.methods,
                    one.tags,
                    one.max_body_size,
                    one.starlette_route,
                ],
                [len(one.dependencies), len(one.dependant.dependencies), one.dependency_overrides_provider is app],
            ]
            for included in app.routes
            if isinstance(included, fw.routing._IncludedRouter)
            for one in included.effective_low_priority_routes()
        ]

    theirs, ours = map(places, BOTH)
    assert ours == theirs
    assert len(ours) == 4
