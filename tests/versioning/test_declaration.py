"""What can be said about versions, and what is refused where it is said."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from ferrapi import APIRouter, FastAPI, WebSocket
from ferrapi.declare.versions import VersionSet
from ferrapi.exceptions import VersioningError
from ferrapi.routing import APIRoute
from ferrapi.versioning import Version, Versioning
from hypothesis import given
from hypothesis import strategies as st

ORDER = {name: place for place, name in enumerate(["2023-06", "2024-01", "beta", "9", "10"])}


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["", "==", "!=", "<", "<=", ">", ">="]), st.sampled_from([*ORDER])), min_size=1
        ),
        min_size=1,
    )
)
def test_conditions_hold_together_and_texts_are_alternatives(said: list[list[tuple[str, str]]]) -> None:
    compare = {
        "": lambda a, b: a == b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    texts = [" , ".join(sign + name for sign, name in conditions) for conditions in said]
    found = VersionSet.of(texts)
    expected = [
        version
        for version, place in ORDER.items()
        if any(all(compare[sign](place, ORDER[name]) for sign, name in conditions) for conditions in said)
    ]
    assert found is not None
    assert found.of_known(ORDER) == expected


@pytest.mark.parametrize(
    "versions", ["", " ", ">=", "1 2", "~1", "1;2", "1,", "é", [], [1], 1, ["1", ""], b"1", {"1": 2}]
)
def test_what_says_no_versions_is_refused_by_whoever_is_told(versions: Any) -> None:
    app, router = FastAPI(versioning=Versioning(["1"])), APIRouter()
    declarations: list[Any] = [
        lambda: app.get("/", versions=versions)(lambda: None),
        lambda: router.get("/", versions=versions)(lambda: None),
        lambda: APIRouter(versions=versions),
        lambda: app.include_router(APIRouter(), versions=versions),
        lambda: app.add_api_route("/", lambda: None, versions=versions),
        lambda: app.websocket("/", versions=versions)(_socket),
    ]
    for declare in declarations:
        with pytest.raises(VersioningError):
            declare()


async def _socket(socket: WebSocket) -> None:
    await socket.close()


@pytest.mark.parametrize("versions", ["3", ">=3", "<1", "1,2", ["3", "1"], "2,<2"])
def test_a_version_that_there_is_not_is_refused_where_a_route_comes_to_the_application(versions: Any) -> None:
    router = APIRouter()
    router.get("/", versions=versions)(lambda: None)
    nested = APIRouter()
    nested.include_router(router, prefix="/x")
    app = FastAPI(versioning=Versioning(["1", "2"]))
    count = len(app.router.routes)
    for declare in (
        lambda: app.get("/", versions=versions)(lambda: None),
        lambda: app.router.get("/", versions=versions)(lambda: None),
        lambda: app.include_router(nested),
        lambda: app.websocket("/", versions=versions)(_socket),
    ):
        with pytest.raises(VersioningError):
            declare()
    assert len(app.router.routes) == count


def test_a_route_of_no_version_that_its_router_has_is_refused() -> None:
    router = APIRouter(versions=">=2")
    router.get("/", versions="1")(lambda: None)
    with pytest.raises(VersioningError, match="in no version"):
        FastAPI(versioning=Versioning(["1", "2"])).include_router(router)


def test_an_include_may_have_none_of_the_versions_of_a_route() -> None:
    router = APIRouter()
    router.get("/old", versions="1")(lambda: None)
    router.get("/new", versions=">=2")(lambda: None)
    app = FastAPI(versioning=Versioning(["1", "2"]))
    app.include_router(router, prefix="/a", versions="1")
    app.include_router(router, prefix="/b", versions="2")
    assert [getattr(route, "path", "") for route in app.routes][-2:] == ["/v1/a/old", "/v2/b/new"]


def test_versions_need_an_application_that_has_them() -> None:
    router = APIRouter()
    router.get("/", versions="1")(lambda: None)
    with pytest.raises(VersioningError, match="versioning="):
        FastAPI().include_router(router)
    with pytest.raises(VersioningError, match="versioning="):
        FastAPI().get("/", versions="1")(lambda: None)
    with pytest.raises(VersioningError):
        FastAPI(versioning=["1", "2"])  # type: ignore[arg-type]  # the mistake


def test_a_router_that_matches_itself_keeps_no_versions_inside() -> None:
    class Asked(APIRouter):
        def matches(self, scope: Any) -> Any:
            return super().matches(scope)

    asked = Asked()
    asked.get("/", versions="1")(lambda: None)
    with pytest.raises(VersioningError, match="where that is included"):
        FastAPI(versioning=Versioning(["1"])).include_router(asked, prefix="/x")


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
BAD_VERSIONS: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "1/2"},
    {"name": "v 1"},
    {"name": "-1"},
    {"name": "1", "deprecated": datetime(2030, 1, 1)},
    {"name": "1", "deprecated": True},
    {"name": "1", "sunset": "2030-01-01"},
    {"name": "1", "deprecated": NOON, "sunset": NOON.replace(hour=11)},
    {"name": "1", "links": {"deprecation": "https://a.test/>\r\nX: y"}},
    {"name": "1", "links": {"": "https://a.test"}},
    {"name": "1", "links": {'a"b': "https://a.test"}},
    {"name": "1", "links": {"sunset": "https://é.test"}},
]


@pytest.mark.parametrize("settings", BAD_VERSIONS, ids=str)
def test_a_version_that_no_header_could_tell_of_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(VersioningError):
        Version(**settings)


BAD_VERSIONINGS: list[dict[str, Any]] = [
    {"versions": []},
    {"versions": "12"},
    {"versions": ["1", "1"]},
    {"versions": ["1", Version("1")]},
    {"versions": ["1"], "default": "2"},
    {"versions": ["1"], "by": "cookie"},
    {"versions": ["1"], "name": "X"},
    {"versions": ["1"], "by": "header", "name": "X: y"},
    {"versions": ["1"], "prefix": "/v"},
    {"versions": ["1"], "prefix": "v{version}"},
    {"versions": ["1"], "prefix": "/{version}/"},
    {"versions": ["1"], "prefix": "/{version}/{version}"},
    {"versions": ["1"], "prefix": "/{other}/{version}"},
    {"versions": ["1"], "unknown": 500},
]


@pytest.mark.parametrize("settings", BAD_VERSIONINGS, ids=str)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(VersioningError):
        Versioning(**settings)


def test_overridden_methods_and_classes_need_not_know_versions() -> None:
    class Known(APIRoute):
        def __init__(
            self, path: str, endpoint: Any, *, name: str | None = None, methods: Any = None, **rest: Any
        ) -> None:
            assert "versions" not in rest
            super().__init__(path, endpoint, name=name, methods=methods, **rest)

    class Application(FastAPI):
        def add_api_route(self, path: str, endpoint: Any, **options: Any) -> None:
            assert "versions" not in options
            super().add_api_route(path, endpoint, **options)

    app = Application(versioning=Versioning(["1"]))
    app.router.route_class = Known
    app.add_api_route("/", lambda: None)
    app.get("/x", versions="1")(lambda: None)
    assert str(app.router.routes[-1].versions) == "==1"  # type: ignore[attr-defined]  # an API route


def test_a_copy_of_an_application_has_versions_of_its_own() -> None:
    app = FastAPI(versioning=Versioning(["1", "2"]), openapi_url=None)
    app.get("/both", versions=">=1")(lambda: None)
    again = copy.deepcopy(app)
    again.get("/new", versions="2")(lambda: None)
    assert [getattr(route, "path", "") for route in app.routes] == ["/v1/both", "/v2/both"]
    assert [getattr(route, "path", "") for route in again.routes] == ["/v1/both", "/v2/both", "/v2/new"]
    with pytest.raises(VersioningError):
        again.get("/", versions="3")(lambda: None)
