"""Callbacks: which of a list of routes are described, and what of them gets into the components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.routing import Mount, Route
from support.compare import compare_documents
from support.frameworks import BOTH, Framework


class Told(BaseModel):
    """What a callback is told."""

    number: int


class Heard(BaseModel):
    """What it answers."""

    text: str


def inner(fw: Framework) -> Any:
    router = fw.APIRouter(prefix="/inner", tags=["inner"])

    @router.post("/told", responses={409: {"model": Heard}})
    def told(value: Told, other: Heard) -> Heard: ...

    return router


def outer(fw: Framework) -> Any:
    router = fw.APIRouter()

    @router.get("/direct")
    def direct(number: int) -> dict[str, Told]: ...

    router.include_router(inner(fw), prefix="/included", deprecated=True)
    return router


def nested(fw: Framework) -> Any:
    router = fw.APIRouter()
    router.include_router(outer(fw), prefix="/nested", tags=["nested"])
    return router


LISTS: dict[str, Callable[[Framework], Any]] = {
    "none": lambda fw: None,
    "empty": lambda fw: [],
    "direct": lambda fw: inner(fw).routes,
    "direct and included": lambda fw: outer(fw).routes,
    "included": lambda fw: nested(fw).routes,
    "plain": lambda fw: [Route("/plain", lambda request: None)],
    "mounted": lambda fw: [Mount("/mounted", routes=inner(fw).routes)],
    "hidden": lambda fw: [fw.routing.APIRoute("/hidden", lambda: None, include_in_schema=False)],
}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("place", ["route", "router", "application", "include"])
@pytest.mark.parametrize("name", LISTS)
def test_callbacks_in_the_document(name: str, place: str, shown: bool) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        callbacks = LISTS[name](fw)

        def given(here: str) -> dict[str, Any]:
            return {"callbacks": callbacks} if here == place else {}

        app = fw.FastAPI(**given("application"))
        router = fw.APIRouter(**given("router"))
        router.get("/a", include_in_schema=shown, **given("route"))(lambda: None)
        app.include_router(router, prefix="/p", **given("include"))
        return app

    compare_documents(make)


@pytest.mark.parametrize("given", [{}, {"callbacks": None}, {"callbacks": []}], ids=repr)
def test_a_route_without_callbacks_says_how_that_was_declared(given: dict[str, Any]) -> None:
    def found(fw: Framework) -> list[Any]:
        router = fw.APIRouter()
        router.get("/", **given)(lambda: 1)
        return [fw.routing.APIRoute("/", lambda: 1, **given).callbacks, router.routes[0].callbacks]

    theirs, ours = (found(fw) for fw in BOTH)
    assert ours == theirs
