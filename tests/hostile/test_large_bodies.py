"""The mistakes in large JSON bodies. The attack: 1 MiB of wrong items, whose errors held the event loop for seconds."""

import json
import threading
from typing import Any

import pytest
from ferrapi.routing._large_body import LARGE, LargeModel
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import FERRAPI, Framework

JSON = ((b"content-type", b"application/json"),)


@pytest.fixture(autouse=True)
def _quiet(quiet: None) -> None:
    """Refused requests are logged; that is tested elsewhere."""


class Leaf(BaseModel):
    a: int
    name: str | None = Field(None, max_length=3)


class Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = Field(alias="ä")
    leaves: list[Leaf] = []


class Tree(BaseModel):
    leaf: Leaf
    branches: list["Tree"] = []
    rows: list[list[int]] = Field([], max_length=50_000)


def application(fw: Framework, log: list[Any]) -> Any:
    app = fw.FastAPI()

    def guard(q: int = 0) -> int:
        return q

    @app.post("/tree")
    async def tree(tree: Tree, guard: int = fw.Depends(guard)) -> Any:
        log.append("tree")
        return [len(tree.branches), len(tree.rows)]

    @app.post("/exact")
    async def exact(exact: Exact) -> Any:
        return len(exact.leaves)

    @app.post("/texts")
    async def texts(texts: list[str]) -> Any:
        return len(texts)

    return app


def asked(path: str, value: Any, query: bytes = b"") -> Ask:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    assert len(content) > LARGE
    return Ask("POST", path, query, headers=JSON, body=(content,))


LONG = "x" * LARGE
LEAF = {"a": 1}


@pytest.mark.parametrize(
    "ask",
    [
        asked("/tree", {"leaf": LEAF, "rows": [[1] * 100] * 100}),
        asked("/tree", {"leaf": LEAF, "rows": [[1] * 100] * 100 + [["z"], 5]}),
        asked(
            "/tree", {"leaf": {"a": LONG}, "branches": [{"leaf": {"a": "y"}, "branches": [{}, 7]}], "rows": [[], "a"]}
        ),
        asked("/tree", {"leaf": {"a": LONG}}, b"q=x"),
        asked("/tree", {"leaf": {"a": 1, "name": LONG}}),
        asked("/tree", [LONG]),
        asked("/tree", b'{"leaf": {"a": 1}, "rows": [' + b"[1]," * LARGE),
        asked("/tree", b"nothing" * LARGE),
        asked("/exact", {"ä": 1, "leaves": [LEAF] * 2000}),
        asked("/exact", {"ä": LONG, "b": 1, "a": 2, "leaves": [LEAF, {}]}),
        asked("/texts", ["a"] * LARGE),
        asked("/texts", ["a"] * LARGE + [1, None, ["b"]]),
        asked("/texts", b" " * LARGE + b"[1]"),
        asked("/texts", {"a": LONG}),
    ],
    ids=lambda ask: f"{ask.path} {ask.body[0][:30]!r}",
)
def test_a_large_body_is_answered_as_a_small_one(ask: Ask) -> None:
    compare(application, [ask])


def whole(kind: Any) -> LargeModel:
    return LargeModel(TypeAdapter(kind).core_schema)


MANY: list[tuple[Any, bytes]] = [
    (list[str], b"[" + b"0," * 20_000 + b"0]"),
    (list[Leaf], b"[" + b"{}," * 20_000 + b"{}]"),
    (Tree, b'{"leaf": {}, "rows": [' + b'["z", "z"],' * 20_000 + b"[]]}"),
    (Tree, b'{"leaf": {"a": 1}, "branches": [' + b'{"branches": [{}, {}]},' * 10_000 + b"{}]}"),
    (Exact, json.dumps({f"k{number}": 0 for number in range(20_000)}).encode()),
]


@pytest.mark.parametrize(("kind", "content"), MANY, ids=lambda one: str(one)[:30])
def test_no_more_errors_are_made_than_are_shown(kind: Any, content: bytes) -> None:
    made = []
    large = whole(kind)
    validate = large._counting.validate_python

    class Watching:
        @staticmethod
        def validate_python(value: Any, **options: Any) -> Any:
            try:
                return validate(value, **options)
            except ValidationError as exc:
                made.append(exc.error_count())
                raise

    large.__dict__["_counting"] = Watching
    shown = large.errors(content, 1000, ("body",))
    assert len(made) == 1
    assert 1000 < made[0] < 1100
    assert [error["type"] for error in shown[1000:]] == ["errors_truncated"]
    every = large.errors(content, None, ("body",))
    assert shown[:1000] == every[:1000]
    assert len(every) > 10_000


@pytest.mark.parametrize(
    ("kind", "content"), [row for row in MANY if row[0] is not Exact], ids=lambda one: str(one)[:30]
)
def test_validating_stops_at_the_first_wrong_item(kind: Any, content: bytes) -> None:
    with pytest.raises(ValidationError) as info:
        whole(kind).validate(content)
    assert info.value.error_count() < 10


def test_errors_are_found_out_in_a_thread_and_the_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    errors = LargeModel.errors

    def noting(self: LargeModel, *arguments: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return errors(self, *arguments)

    monkeypatch.setattr(LargeModel, "errors", noting)
    for content in (b"[" + b"0," * 500_000 + b"0]", b"[" + b"0," * 5_000 + b"0]"):
        for transport in ("asgi", "http11"):
            threads.clear()
            answer = answers(FERRAPI, application, [asked("/texts", content)], transport)[0]
            assert answer.status == 422
            assert len(answer.body) <= max(64 * 1024, 4 * len(content))
            assert json.loads(answer.body)["detail"][-1]["type"] == "errors_truncated"
            assert threads == [False]


def test_a_handler_of_ones_own_gets_all_errors() -> None:
    content = b"[" + b"0," * 5_000 + b"0]"
    seen: list[int] = []

    def make(fw: Framework, log: list[Any]) -> Any:
        app = application(fw, log)

        @app.exception_handler(fw.exceptions.RequestValidationError)
        async def count(request: Any, exc: Any) -> Any:
            seen.append(len(exc.errors()))
            return fw.responses.JSONResponse({}, 418)

        return app

    compare(make, [asked("/texts", content)])
    assert set(seen) == {5001}


def test_a_small_request_gets_a_small_answer() -> None:
    """33 missing fields echo 4 kB each."""

    def make(fw: Framework, log: list[Any]) -> Any:
        from pydantic import create_model

        fields: Any = {f"field{number}": (int, ...) for number in range(33)}
        app = fw.FastAPI()

        async def wide(body: Any) -> None: ...

        wide.__annotations__["body"] = create_model("Wide", **fields)
        app.post("/wide")(wide)
        return app

    ask = Ask("POST", "/wide", headers=JSON, body=(json.dumps({"z": "y" * 4000}).encode(),))
    answer = answers(FERRAPI, make, [ask])[0]
    assert len(answer.body) <= 64 * 1024
    detail = json.loads(answer.body)["detail"]
    assert [error["loc"] for error in detail] == [["body", f"field{number}"] for number in range(33)]
