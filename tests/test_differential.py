"""FastAPI and ferrapi answer the same requests the same way: one class for each rule of the engine, 1 to 8.

The rules are those of `docs/internals/architecture.md` (what decides the engine's design), in its order; 9 to 16 are in
`differential/test_answers.py`. Shapes of applications and strategies for requests are in `differential/`; here they are
asked. Hypothesis runs its examples in a fixed order, so that a run repeats; `FERRAPI_FUZZ=<n>` asks for n times as
many, at random.
"""

import random
from typing import Annotated, Any

import pytest
from differential import body_shapes as bodies
from differential import dependency_shapes as phases
from differential import engine_shapes as engine
from differential import tree_shapes as trees
from differential.common import FUZZ, JSON, compare_or_both_refuse, examples
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator
from support.asgi import Ask
from support.compare import answers, compare
from support.frameworks import BOTH, Framework

pytestmark = pytest.mark.usefixtures("quiet")


class TestBeforeAnyDependency:
    """1: a body that can't be read is answered before the first dependency runs."""

    @staticmethod
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()
        bodies.note_errors(fw, app, log)

        def dependency(q: int = 0) -> Any:
            log.append("dependency")
            yield
            log.append("closed")

        @app.post("/json", dependencies=[fw.Depends(dependency)])
        async def json(value: dict[str, Any]) -> Any:
            log.append("endpoint")
            return value

        @app.post("/form", dependencies=[fw.Depends(dependency)])
        async def form(a: Annotated[str, fw.Form()], f: Annotated[bytes, fw.File()] = b"") -> Any:
            return [a, len(f)]

        @app.post("/none", dependencies=[fw.Depends(dependency)])
        async def none() -> Any:
            return "none"

        return app

    @pytest.mark.parametrize(
        "body", [b"{", b"", b"\xff\xfe\x00", b"[1,]", b'{"a": 1}x', b"\xef\xbb\xbf{}", b"9" * 5000, b"nul"]
    )
    def test_a_body_that_is_no_json(self, body: bytes) -> None:
        found = compare(
            self.make, [Ask("POST", "/json", b"q=x", JSON, (body,)), Ask("POST", "/json", b"", JSON, (body,))]
        )
        assert "endpoint" not in found[0].log

    @pytest.mark.parametrize(
        "content_type",
        [
            b"multipart/form-data",
            b"multipart/form-data; boundary=",
            b"multipart/form-data; boundary=b",
            b"multipart/x",
            b"",
        ],
    )
    @pytest.mark.parametrize(
        "body", [b"", b"--b\r\n", b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n']
    )
    def test_a_form_that_is_none(self, content_type: bytes, body: bytes) -> None:
        compare(self.make, [Ask("POST", "/form", b"", [(b"content-type", content_type)], (body,))])

    @pytest.mark.parametrize("path", ["/json", "/form", "/none"])
    def test_a_client_that_goes_away_while_sending(self, path: str) -> None:
        form = [(b"content-type", b"application/x-www-form-urlencoded")]
        asks = [
            Ask("POST", path, b"", headers, body, ends=False)
            for headers in (JSON, form)
            for body in ((), (b"a",), (b"a=1", b"&"))
        ]
        found = compare(self.make, asks)
        if path == "/json":
            assert all("dependency" not in answer.log for answer in found)

    def test_a_body_nobody_declared_is_not_read(self) -> None:
        found = compare(
            self.make, [Ask("POST", "/none", b"", JSON, (b"{",)), Ask("POST", "/none", b"q=x", JSON, (b"{", b"}"))]
        )
        assert [answer.reads for answer in found] == [0, 0]


class TestOrderOfErrors:
    """2: sub-dependencies first, then each callable's path, query, header, cookie and body."""

    @examples(80)
    @given(st.integers(0, 2**32), st.booleans())
    def test_random_trees(self, seed: int, bodies: bool) -> None:
        compare_or_both_refuse(trees.tree(seed, bodies=bodies, fails=False), trees.tree_asks(seed, 4, overrides=False))

    @examples(80)
    @given(st.integers(0, 2**32))
    def test_random_trees_that_raise(self, seed: int) -> None:
        compare_or_both_refuse(trees.tree(seed), trees.tree_asks(seed, 4, overrides=False))

    def test_a_raised_401_wins_over_later_validation_errors(self, framework: Framework) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def invalid(a: int) -> None:
                log.append("invalid")

            def guard(sub: None = fw.Depends(invalid)) -> None:
                log.append("guard")

            def login() -> None:
                log.append("login")
                raise fw.HTTPException(401)

            @app.get("/")
            def root(b: int, g: None = fw.Depends(guard), user: None = fw.Depends(login)) -> None:
                log.append("root")

            return app

        answer = answers(framework, make, [Ask()])[0]
        assert (answer.status, answer.log) == (401, ["login"])

    def test_a_cached_dependency_that_fails_is_reported_once_per_use(self, framework: Framework) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def invalid(a: int) -> None: ...

            @app.get("/")
            def root(
                x: None = fw.Depends(invalid),
                y: None = fw.Depends(invalid),
                z: None = fw.Depends(invalid, use_cache=False),
            ) -> None: ...

            return app

        assert answers(framework, make, [Ask()])[0].body.count(b'"missing"') == 3


class TestValidationInfo:
    """3: what user validators see, and that each runs once for one value."""

    @staticmethod
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        class Seen(BaseModel):
            a: int
            b: Any = None

            @field_validator("b", mode="wrap")
            @classmethod
            def see(cls, value: Any, handler: Any, info: Any) -> Any:
                log.append((info.field_name, info.mode, sorted(info.data), info.context, type(value).__name__))
                return handler(value)

        def look(value: Any, info: Any) -> Any:
            log.append((info.field_name, info.mode, info.data, info.context, type(value).__name__, value))
            return value

        from pydantic import BeforeValidator, WithJsonSchema

        Looked = Annotated[Any, BeforeValidator(look), WithJsonSchema({})]

        @app.post("/model")
        async def model(seen: Seen) -> Any:
            return seen

        @app.post("/two")
        async def two(seen: Seen, other: Annotated[Seen, fw.Body()], q: Annotated[Looked, fw.Query()] = None) -> Any:
            return [seen, other, seen is other]

        @app.post("/one/{p}")
        async def one(
            p: Annotated[Looked, fw.Path()], q: Annotated[Looked, fw.Query()], h: Annotated[Looked, fw.Header()] = "d"
        ) -> Any:
            return [p, q, h]

        @app.post("/same")
        async def same(
            x: Annotated[int, fw.Query(alias="v")],
            y: Annotated[str, fw.Query(alias="v")],
            z: Annotated[list[float], fw.Query(alias="v")],
        ) -> Any:
            return [x, y, z]

        return app

    @examples(30)
    @given(bodies.json_bytes())
    def test_models(self, body: bytes) -> None:
        compare(self.make, [Ask("POST", path, b"q=1", JSON, (body,)) for path in ("/model", "/two")])

    @pytest.mark.parametrize("query", [b"", b"q=1", b"q=1&q=2", b"q="])
    def test_parameters(self, query: bytes) -> None:
        compare(self.make, [Ask("POST", "/one/x", query), Ask("POST", "/one/y", query, [(b"h", b"1"), (b"h", b"2")])])

    @pytest.mark.parametrize("query", [b"", b"v=1", b"v=1&v=2.5", b"v=2.5&v=1", b"v=x"])
    def test_one_name_at_several_types(self, query: bytes) -> None:
        compare(self.make, [Ask("POST", "/same", query)])


class TestJsonOrPython:
    """4: a JSON body means what `json.loads` and Python-mode validation make of it."""

    @pytest.mark.parametrize("embed", [False, True])
    @pytest.mark.parametrize("kind", bodies.BODY_TYPES)
    @examples(12)
    @given(asks=st.lists(bodies.body_asks(), min_size=4, max_size=4))
    def test_one_body(self, kind: str, embed: bool, asks: list[Ask]) -> None:
        compare(bodies.one_body(kind, embed=embed), asks)

    @pytest.mark.parametrize("default", [None, 5])
    @pytest.mark.parametrize("embed", [False, True])
    @examples(25)
    @given(kind=st.sampled_from(sorted(bodies.BODY_TYPES)), asks=st.lists(bodies.body_asks(), min_size=4, max_size=4))
    def test_optional_bodies(self, embed: bool, default: Any, kind: str, asks: list[Ask]) -> None:
        compare(bodies.one_body(kind, embed=embed, default=default), asks)

    @pytest.mark.parametrize(
        ("path", "method"),
        [("/endpoint", "POST"), ("/dependencies", "POST"), ("/same", "POST"), ("/mixed", "POST"), ("/optional", "PUT")],
    )
    @examples(30)
    @given(data=st.data())
    def test_several_bodies(self, path: str, method: str, data: st.DataObject) -> None:
        compare(bodies.several, data.draw(st.lists(bodies.body_asks(path, method), min_size=4, max_size=4)))

    @pytest.mark.parametrize(
        "body", [b"[1]", b"3", b'"x"', b"true", b"false", b"0", b'""', b"[]", b"{}", b"null", b"NaN", b""]
    )
    @pytest.mark.parametrize("content_type", [b"application/json", b"text/plain", None])
    def test_a_body_that_is_no_object_where_keys_are_expected(self, body: bytes, content_type: bytes | None) -> None:
        headers = [] if content_type is None else [(b"content-type", content_type)]
        compare(bodies.one_body("int", embed=True, default=None), [Ask("POST", headers=headers, body=(body,))])
        compare(
            bodies.several,
            [Ask("PUT", "/optional", b"", headers, (body,)), Ask("POST", "/mixed", b"q=1", headers, (body,))],
        )

    @examples(25)
    @given(
        kind=st.sampled_from(sorted(bodies.BODY_TYPES)),
        strict=st.booleans(),
        asks=st.lists(bodies.body_asks(), min_size=4, max_size=4),
    )
    def test_content_types(self, kind: str, strict: bool, asks: list[Ask]) -> None:
        compare(bodies.one_body(kind, strict_type=strict), asks)


class TestCacheKey:
    """5: one call per callable, `scope=` and visible security scopes."""

    @staticmethod
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def reads(scopes: fw.security.SecurityScopes) -> Any:
            log.append(("reads", scopes.scopes, scopes.scope_str))
            return scopes.scopes

        def ignores() -> Any:
            log.append("ignores")
            return object()

        def above(x: Any = fw.Security(reads, scopes=["own"]), y: Any = fw.Depends(ignores)) -> Any:
            log.append("above")
            return [x, id(y)]

        def generator() -> Any:
            log.append("open")
            yield object()
            log.append("close")

        @app.get("/scopes")
        async def scopes(
            a: Any = fw.Security(above, scopes=["a"]),
            b: Any = fw.Security(above, scopes=["b", "a"]),
            c: Any = fw.Security(above, scopes=["a", "b"]),
            d: Any = fw.Depends(above),
            e: Any = fw.Security(ignores, scopes=["z"]),
            f: Any = fw.Depends(reads),
        ) -> Any:
            return [a[0], b[0], c[0], d[0], a[1] == b[1] == id(e), f]

        @app.get("/lives")
        async def lives(
            a: Any = fw.Depends(generator),
            b: Any = fw.Depends(generator, scope="function"),
            c: Any = fw.Depends(generator, scope="request"),
            d: Any = fw.Depends(generator, use_cache=False),
            e: Any = fw.Depends(generator),
        ) -> Any:
            return [a is b, a is c, a is d, a is e]

        @app.get("/order")
        async def order(
            a: Any = fw.Depends(ignores, use_cache=False), b: Any = fw.Depends(ignores), c: Any = fw.Depends(ignores)
        ) -> Any:
            return [a is b, b is c]

        return app

    @pytest.mark.parametrize("path", ["/scopes", "/lives", "/order"])
    def test_what_is_shared(self, path: str) -> None:
        assert compare(self.make, [Ask(path=path)])[0].status == 200


class TestOverrides:
    """6: overrides may change at any time, and bring parameters, generators and bodies of their own."""

    @examples(100)
    @given(st.integers(0, 2**32))
    def test_random_trees(self, seed: int) -> None:
        compare_or_both_refuse(trees.tree(seed), trees.tree_asks(seed, 6, overrides=True))

    @staticmethod
    def pair(base: str, override: str) -> Any:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def none() -> Any:
                return "none"

            def json(x: dict[str, Any]) -> Any:
                return x

            def embedded(x: dict[str, Any] = fw.Body(embed=True)) -> Any:
                return x

            def two(x: dict[str, Any], y: list[int] = fw.Body()) -> Any:
                return [x, y]

            def form(x: str = fw.Form()) -> Any:
                return x

            def forms(x: str = fw.Form(), y: str = fw.Form("d")) -> Any:
                return [x, y]

            known = {"none": none, "json": json, "embedded": embedded, "two": two, "form": form, "forms": forms}

            @app.post("/")
            def root(value: Any = fw.Depends(known[base])) -> Any:
                return value

            app.dependency_overrides = {known[base]: known[override]}
            return app

        return make

    @pytest.mark.parametrize("base", ["none", "json", "embedded", "two", "form", "forms"])
    @pytest.mark.parametrize("override", ["none", "json", "embedded", "two", "form", "forms"])
    def test_overrides_that_bring_a_body(self, base: str, override: str) -> None:
        form = [(b"content-type", b"application/x-www-form-urlencoded")]
        asks = [Ask("POST", headers=JSON, body=(body,)) for body in (b'{"x":{"x":5},"y":[2]}', b"", b"{", b"[1]")]
        asks += [Ask("POST", headers=form, body=(body,)) for body in (b"x=1&y=2", b"", b'{"x":{}}')]
        compare(self.pair(base, override), asks)

    def test_two_overrides_by_one_callable_are_two_calls(self, framework: Framework) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def one() -> None: ...

            def two() -> None: ...

            def replacement() -> None:
                log.append("replacement")

            @app.get("/")
            def root(a: None = fw.Depends(one), b: None = fw.Depends(two), c: None = fw.Depends(one)) -> None: ...

            app.dependency_overrides = {one: replacement, two: replacement}
            return app

        assert answers(framework, make, [Ask()])[0].log == ["replacement", "replacement"]

    def test_overrides_that_form_a_cycle_are_an_error_not_a_hang(self, framework: Framework) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def one() -> None: ...

            def two(sub: None = fw.Depends(one)) -> None: ...

            @app.get("/")
            def root(a: None = fw.Depends(one)) -> None: ...

            app.dependency_overrides = {one: two}
            return app

        assert answers(framework, make, [Ask()])[0].status == 500


def random_phases(count: int) -> list[dict[str, Any]]:
    """Rows of `dependency_shapes.phases`: a fixed sample of all combinations, at least 20 per phase."""
    chance = random.Random(7)
    rows = []
    for phase in phases.PHASES:
        for _ in range(count):
            row: dict[str, Any] = {
                "phase": phase,
                "error": chance.choice(phases.ERRORS),
                "first": chance.choice([("async", None), ("sync", None), ("sync", "request"), ("async", "function")]),
                "second": chance.choice([("sync", "function"), ("async", None), ("async", "function")]),
                "swallow": chance.choice(["no", "no", "swallow", "replace"]),
                "endpoint": chance.choice(["async", "sync"]),
                "handlers": chance.choice(["none", "boom", "all", "failing", "server", "500"]),
                "debug": chance.random() < 0.1,
                "middleware": chance.random() < 0.5,
                "returned": chance.choice(["value", "value", "response", "stream"]),
            }
            if row["first"][1] == "function" and row["second"][1] is None:
                row["second"] = ("sync", "function")  # a dependency can't outlive what it uses
            rows.append(row)
    return rows


class TestTeardown:
    """7: when generators close and what they see, for every kind of error at every phase."""

    @pytest.mark.parametrize("row", random_phases(20 * max(FUZZ, 1)), ids=lambda row: f"{row['phase']}-{row['error']}")
    def test_phases(self, row: dict[str, Any]) -> None:
        if row["debug"]:  # a page with a traceback of its own: the order is what must agree
            expected, actual = (answers(fw, phases.phases(**row), phases.ASKS)[0] for fw in BOTH)
            assert (actual.log, actual.error, actual.status) == (expected.log, expected.error, expected.status)
        else:
            compare(phases.phases(**row), phases.ASKS)

    def test_order_without_errors(self, framework: Framework) -> None:
        make = phases.phases(phase="none", error="value", first=("sync", None), second=("async", "function"))
        log = answers(framework, make, phases.ASKS)[0].log
        assert log == [
            ("first", "enter"),
            ("second", "enter"),
            ("endpoint",),
            ("second", "exit"),
            ("task",),
            ("first", "exit"),
        ]


class TestTasksAndThreads:
    """8: one task for async code, one thread hop with a copied context for each sync callable."""

    @pytest.mark.parametrize("transport", ["asgi", "trio"])
    def test_contexts(self, transport: str) -> None:
        compare(engine.contexts, engine.CONTEXT_ASKS, transport)

    def test_kinds_of_callables(self) -> None:
        names = BOTH[0].FastAPI and engine.callables(BOTH[0], []).state.names
        compare(engine.callables, [Ask(path=f"/{name}") for name in names])

    def test_async_code_runs_in_one_task(self, framework: Framework) -> None:
        import asyncio

        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            def note() -> None:
                log.append(id(asyncio.current_task()))

            async def plain() -> None:
                note()

            async def generator() -> Any:
                note()
                yield
                note()

            async def task() -> None:
                note()

            @app.get("/", dependencies=[fw.Depends(plain), fw.Depends(generator)])
            async def root(tasks: fw.BackgroundTasks) -> None:
                note()
                tasks.add_task(task)

            return app

        log = answers(framework, make, [Ask()])[0].log
        assert len(log) == 5
        assert len(set(log)) == 1

    def test_sync_code_takes_tokens_of_the_default_limiter(self, framework: Framework) -> None:
        import anyio.to_thread

        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()
            held: list[Any] = []

            async def remember() -> None:
                held.append(anyio.to_thread.current_default_thread_limiter())

            def dependency() -> None:
                log.append(held[0].borrowed_tokens)

            @app.get("/", dependencies=[fw.Depends(remember), fw.Depends(dependency)])
            def root() -> None:
                log.append(held[0].borrowed_tokens)

            return app

        assert answers(framework, make, [Ask()])[0].log == [1, 1]
