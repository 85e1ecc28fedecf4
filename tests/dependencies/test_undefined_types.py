"""Types that are not defined yet: what needs them says so when it needs them, and all else goes on."""

from typing import Any, ClassVar, Final, ForwardRef, Optional, Union  # noqa: F401  (strings below name them)

import pytest
from support.asgi import Ask
from support.compare import compare
from support.frameworks import BOTH, Framework

LATER: Any = ForwardRef("Later")
JSON = [(b"content-type", b"application/json")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
READS = [Ask("GET", "/x", query) for query in (b"", b"q=x", b"a=3")]
WRITES = [
    Ask("POST", "/x"),
    Ask("POST", "/x", headers=JSON, body=(b'{"a": 3}',)),
    Ask("POST", "/x", headers=JSON, body=(b"{",)),
    Ask("POST", "/x", headers=FORM, body=(b"a=3",)),
]


def endpoints(fw: Framework) -> dict[str, Any]:
    """Endpoints that name the type."""

    def sync(q: int = 1) -> LATER:
        return {"a": q}

    async def asynchronous(q: int = 1) -> LATER:
        return {"a": q}

    async def listed(q: int = 1) -> list[LATER]:
        return [{"a": q}]

    async def direct(q: int = 1) -> LATER:
        return fw.Response("x")

    def query(x: LATER = fw.Query()) -> Any:
        return x

    def body(x: LATER) -> Any:
        return x

    def declared(x: LATER = fw.Body()) -> Any:
        return x

    def form(x: LATER = fw.Form()) -> Any:
        return x

    def two(x: LATER = fw.Body(), y: int = fw.Body()) -> Any:
        return x

    def inner(q: int, x: LATER = fw.Query()) -> Any:
        return x

    def depended(x: Any = fw.Depends(inner)) -> Any:
        return x

    return {name: call for name, call in locals().items() if name not in ("fw", "inner")}


@pytest.mark.parametrize("name", list(endpoints(Framework("ferrapi"))))
def test_only_what_needs_the_type_fails(name: str) -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        app.api_route("/x", methods=["GET", "POST"])(endpoints(fw)[name])
        return app

    compare(make, [*READS, *WRITES])


def test_text_of_a_type_that_is_not_defined() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        @app.get("/x", response_class=fw.responses.PlainTextResponse)
        async def text(q: int = 1) -> LATER:
            return "x"

        return app

    compare(make, READS)


NO_TYPES = [
    "ClassVar[int]",
    "Final[int]",
    "Union",
    "int[str]",
    "Optional[int, str]",
    "int | 'x'",
    "list[int]",
    "Nowhere",
]


@pytest.mark.parametrize("place", ["parameter", "default", "return"])
@pytest.mark.parametrize("annotation", NO_TYPES)
def test_what_is_no_type_beside_an_unknown_one(annotation: str, place: str) -> None:
    """Each string is evaluated for itself when one of them names something unknown; what is no type is an error."""

    def ending(fw: Framework) -> str:
        def show(q: Any = 1, later: Any = 2) -> Any: ...

        show.__annotations__ = {"return" if place == "return" else "q": annotation, "later": "Nowhere"}
        if place == "parameter":
            show.__defaults__ = (2,)
        try:
            fw.FastAPI().get("/")(show)
        except Exception as exc:
            return f"{type(exc).__name__}: {exc}"
        return "registered"

    theirs, ours = map(ending, BOTH)
    assert ours == theirs
