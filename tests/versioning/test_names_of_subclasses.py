"""Routers of libraries have a `versions` of their own."""

from typing import Any

from ferrapi import APIRouter


class Own(APIRouter):
    @property
    def versions(self) -> list[str]:
        return ["1", "2"]


def test_a_subclass_may_call_something_of_its_own_versions() -> None:
    router: Any = Own()
    assert router.versions == ["1", "2"]
    router.get("/")(lambda: None)
    assert len(router.routes) == 1
