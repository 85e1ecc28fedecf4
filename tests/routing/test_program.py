"""What is run natively does what FastAPI does, step by step.

What differs between two dependencies differs in a program: kinds, parameters, sharing, scopes, objects of the request,
security schemes, names. Above all, it must notice when a dependency overrides a later one.
"""

import asyncio
import sys
from typing import Annotated, Any

import anyio
import pytest
from ferrapi.serve.handler import RouteApp
from support.asgi import Answer, Ask, exchange, run
from support.compare import Make, answers, compare
from support.frameworks import BOTH, FERRAPI, Framework
from support.stdlib import CLOSES_GENERATORS

from . import late_overrides as overrides
from . import program_shapes as shapes
from .program_shapes import KINDS, dependency, parameter, program_at

pytestmark = pytest.mark.usefixtures("quiet")


SCOPED = [(kind, scope) for kind in KINDS[2:] for scope in (None, "function", "request")]


class TestDependencies:
    """What programs have actions for."""

    @pytest.mark.parametrize("last", shapes.ENDPOINTS)
    @pytest.mark.parametrize("second", KINDS)
    @pytest.mark.parametrize("first", KINDS)
    def test_kinds(self, first: str, second: str, last: str) -> None:
        found = compare(shapes.kinds(first, second, last), shapes.KINDS_ASKS)
        assert [answer.status for answer in found[:4]] == [201 if last == "response" else 200] * 2 + [422, 422]

    def test_sharing(self) -> None:
        compare(shapes.sharing, shapes.SHARING_ASKS)

    @pytest.mark.parametrize("last", ["async", "stream", "events"])
    @pytest.mark.parametrize("second", SCOPED, ids=str)
    @pytest.mark.parametrize("first", SCOPED, ids=str)
    def test_scopes(self, first: Any, second: Any, last: str) -> None:
        asks = shapes.SCOPES_ASKS
        if last == "events" and ("generator", "function") in (first, second):
            asks = asks[
                1:
            ]  # FastAPI begins with the events while a thread ends that one: the order is a matter of luck
        compare(shapes.scopes(first, second, last), asks)

    def test_objects_of_the_request(self) -> None:
        compare(shapes.specials, shapes.SPECIALS_ASKS)

    @pytest.mark.parametrize("auto_error", [True, False])
    @pytest.mark.parametrize("name", shapes.SCHEMES)
    def test_security_schemes(self, name: str, auto_error: bool) -> None:
        for last in ("async", "sync", "async stream"):
            compare(shapes.schemes(name, auto_error, last), shapes.SCHEMES_ASKS)

    def test_errors_of_parameters_come_after_the_dependencies_before(self, framework: Framework) -> None:
        """Whoever needs nothing that is wrong runs, whether it is before or after what is."""

        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()
            first = dependency(log, "async generator", "first", parameter("a", int, 1))
            second = dependency(
                log, "async", "second", parameter("b", int, 1), parameter("one", Any, fw.Depends(first))
            )
            third = dependency(log, "sync", "third", parameter("two", Any, fw.Depends(second)))
            fourth = dependency(log, "generator", "fourth", parameter("b", str, ""))
            depends = [fw.Depends(each) for each in (first, second, third, fourth)]
            passed = [parameter(f"d{number}", Any, depend) for number, depend in enumerate(depends)]
            shapes.add(fw, app, log, "async", *passed, parameter("c", int, 1))
            return app

        asks = [Ask(query=query) for query in (b"", b"a=x", b"b=x", b"c=x", b"a=x&b=x&c=x")]
        compare(make, asks)
        answer = answers(framework, make, asks)[2]
        assert [entry[0] for entry in answer.log] == ["first", "fourth", "fourth", "first"]

    def test_order_of_keyword_arguments(self) -> None:
        """Whoever takes any keywords sees their order."""

        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            async def inner() -> str:
                return "inner"

            async def outer(**given: Any) -> Any:
                log.append(list(given))

            def sync(**given: Any) -> Any:
                log.append(list(given))
                yield
                log.append("end")

            taken = [
                parameter("request", fw.Request),
                parameter("h", Annotated[str, fw.Header()], ""),
                parameter("q", int, 0),
                parameter("a", Any, fw.Depends(inner)),
                parameter("response", fw.Response),
                parameter("p", int),
                parameter("c", Annotated[str, fw.Cookie()], ""),
                parameter("b", Any, fw.Depends(inner)),
                parameter("scopes", fw.security.SecurityScopes),
                parameter("tasks", fw.BackgroundTasks),
                parameter("connection", fw.requests.HTTPConnection),
            ]
            one, two = shapes.declared(outer, tuple(taken)), shapes.declared(sync, tuple(reversed(taken)))
            use = parameter("one", Any, fw.Depends(one)), parameter("two", Any, fw.Depends(two))

            async def endpoint(**given: Any) -> Any:
                log.append(list(given))

            app.get("/{p}")(shapes.declared(endpoint, (*use, *taken)))
            return app

        compare(make, [Ask(path="/1", query=b"q=1")])

    def test_a_route_class_of_ones_own(self) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            class Noting(fw.routing.APIRoute):  # a class that is known at run time
                def get_route_handler(self) -> Any:
                    handler = super().get_route_handler()

                    async def noting(request: Any) -> Any:
                        log.append("before")
                        response = await handler(request)
                        log.append("after")
                        return response

                    return noting

            app = fw.FastAPI()
            app.router.route_class = Noting
            one = dependency(log, "async generator", "one", parameter("q", int, 0))
            for kind in shapes.ENDPOINTS:
                depends = parameter("one", Any, fw.Depends(one)), parameter("f", Any, fw.Depends(one, scope="function"))
                shapes.add(fw, app, log, kind, *depends, path=f"/{kind}")
            return app

        compare(make, [Ask(path=f"/{kind}", query=query) for kind in shapes.ENDPOINTS for query in (b"", b"q=x")])


NAMES = [
    ["_", "__", "_x", "x_", "__a", "__a__"],
    ["é", "größe", "名前", "имя", "ñ", "Ω"],
    ["x", "groups", "provider", "compiled", "plan", "run"],
    ["call0", "v0", "v1", "step1", "get2_0", "read0", "header0"],
    ["self", "cls", "print", "dict", "type", "match", "case", "_async"],
    ["values", "kwargs", "args", "function", "log"],
    ["ª", "ﬁ", "ſ", "K"],  # noqa: RUF001
    ["ﬁ", "fi"],
    ["__debug__"],
    ["a" * 5000],
]
"""A signature that a decorator makes may have names that are no names in source text, or other ones there."""


class TestNames:
    """A name is a keyword in the function; it must reach the callable as it is."""

    @pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0][:9])
    def test_of_parameters_that_get_dependencies(self, names: list[str]) -> None:
        compare(shapes.names(names), [Ask(path=path, query=b"q=1") for path in ("/async", "/sync", "/outer")])

    def test_in_source_text(self) -> None:
        def make(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()

            class Shop:
                async def _größe(self, __länge: int = 1, *, _breite: Annotated[int, fw.Query(alias="b")] = 2) -> int:
                    return __länge * _breite

                def __call__(self, größe: Annotated[int, fw.Depends(lambda: 3)], x: str = "x") -> Any:
                    yield größe, x

            shop = Shop()

            @app.get("/")
            async def root(
                fläche: Annotated[int, fw.Depends(shop._größe)],
                _laden: Annotated[Any, fw.Depends(shop)],
                call1: int = 0,
            ) -> Any:
                return [fläche, _laden, call1]

            return app

        compare(make, [Ask(), Ask(query=b"b=3&x=y&call1=4&_Shop__l%C3%A4nge=5"), Ask(query=b"b=x")])


class TestEditedTrees:
    """A tree may be edited so that one name is given twice."""

    @staticmethod
    def make(name: str) -> Make:
        def build(fw: Framework, log: list[Any]) -> Any:
            app = fw.FastAPI()
            one = dependency(log, "async", "one")
            two = dependency(log, "async", "two")
            shapes.add(
                fw,
                app,
                log,
                "async",
                parameter("one", Any, fw.Depends(one)),
                parameter("two", Any, fw.Depends(two)),
                parameter("q", str, "query"),
                parameter("request", fw.Request),
            )
            dependant = app.routes[-1].dependant
            dependant.dependencies[1].name = name
            return app

        return build

    @pytest.mark.parametrize("name", ["one", "request", "q", "not a name", "class", "", "None"])
    def test_are_run_as_by_fastapi(self, name: str) -> None:
        compare(self.make(name), [Ask(), Ask(query=b"q=x")])

    @pytest.mark.parametrize("name", ["one", "request", "q"])
    def test_have_a_program(self, name: str) -> None:
        assert program_at(self.make(name)(FERRAPI, [])) is not None

    def test_an_edit_is_noticed(self) -> None:
        def rename(app: Any) -> None:
            app.routes[-1].dependant.dependencies[1].name = "one"

        compare(self.make("two"), [Ask(), Ask(before=rename), Ask(query=b"q=x")])


class TestWhoHasAProgram:
    """Nothing here would prove much if these applications ran without one."""

    @pytest.mark.parametrize(
        ("make", "path"),
        [
            *((shapes.kinds(first, "sync", last), "/{p}") for first in KINDS for last in ("async", "sync", "response")),
            (shapes.sharing, "/"),
            (shapes.scopes(("generator", "request"), ("async generator", None), "async"), "/"),
            (shapes.specials, "/{p}"),
            *((shapes.schemes(name, True, "async"), "/") for name in shapes.SCHEMES),
            *((shapes.names(names), "/async") for names in NAMES),
            *(
                (overrides.late(target, "async", position), "/")
                for target in overrides.TARGETS
                for position in overrides.POSITIONS
                if target != "function generator"
            ),
        ],
    )
    def test_the_applications_of_this_module(self, make: Make, path: str) -> None:
        assert program_at(make(FERRAPI, []), path) is not None

    @pytest.mark.parametrize("last", ["async stream", "stream", "events"])
    def test_a_stream(self, last: str) -> None:
        assert program_at(shapes.kinds("async", "sync", last)(FERRAPI, []), "/{p}") is not None

    def test_a_generator_that_ends_before_the_response(self) -> None:
        app = shapes.scopes(("generator", "function"), ("async generator", None), "async")(FERRAPI, [])
        assert program_at(app) is not None

    def test_a_body_with_a_dependency(self) -> None:
        app = FERRAPI.FastAPI()
        inner = dependency([], "async", "inner")

        @app.post("/")
        async def root(body: Annotated[dict[str, int], FERRAPI.Body()], d: Any = FERRAPI.Depends(inner)) -> None: ...

        assert program_at(app) is not None

    def test_it_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The program is what answers: the reference path is not asked."""
        app = shapes.kinds("async", "async generator", "async")(FERRAPI, [])
        monkeypatch.setattr(RouteApp, "serve", None)
        found: Answer = run(lambda: exchange(app, Ask(path="/1")))
        assert found.status == 200


ENDS = ("plain", "finally", "swallows", "raises", "raises after", "changes", "returns", "no yield") + (
    ("yields twice",) if CLOSES_GENERATORS else ()
)
ERRORS: dict[str, Any] = {
    "nothing": None,
    "http": lambda fw: fw.HTTPException(409, "conflict", headers={"x-a": "b"}),
    "value": lambda fw: ValueError("cause"),
    "iteration": lambda fw: StopIteration("cause"),
    "asynchronous iteration": lambda fw: StopAsyncIteration("cause"),
    "cancelled": lambda fw: asyncio.CancelledError("cause"),
}


class TestGenerators:
    """What a generator does with the exception of what it was opened for, and when it ends."""

    @staticmethod
    def generator(way: str, name: str, log: list[Any]) -> Any:
        async def dependency() -> Any:
            log.append(("open", name))
            if way == "no yield":
                return
            try:
                yield name
            except BaseException as exc:
                log.append(("saw", name, type(exc).__name__, str(exc), type(exc.__context__).__name__))
                if way == "swallows":
                    return
                if way == "changes":
                    raise KeyError(name) from exc
                if way == "yields twice":
                    yield -1
                    return
                raise
            else:
                log.append(("went on", name))
                if way == "raises":
                    raise LookupError(name)
                if way == "yields twice":
                    yield -1
            finally:
                log.append(("close", name))
                if way == "raises after":
                    raise OSError(name)

        return dependency

    @pytest.mark.parametrize("error", ERRORS)
    @pytest.mark.parametrize("first", ENDS)
    def test_ends(self, first: str, error: str) -> None:
        def make(second: str | None, where: str) -> Make:
            def build(fw: Framework, log: list[Any]) -> Any:
                app = fw.FastAPI()
                one = self.generator(first, "one", log)
                two = one if second is None else self.generator(second, "two", log)

                def check() -> None:
                    if ERRORS[error] is not None:
                        raise ERRORS[error](fw)

                async def between() -> None:
                    if where == "dependency":
                        check()

                @app.exception_handler(KeyError)
                async def handle(request: fw.Request, exc: KeyError) -> Any:
                    log.append(("handled", str(exc), type(sys.exception()).__name__))
                    return fw.responses.PlainTextResponse("handled", status_code=418)

                @app.exception_handler(
                    RuntimeError
                )  # of a generator that doesn't stop, or of an answer that is missing
                async def explain(request: fw.Request, exc: RuntimeError) -> Any:
                    log.append(("explained", str(exc), repr(exc.__cause__), repr(exc.__context__)))
                    raise exc

                @app.get("/")
                async def root(
                    a: Annotated[Any, fw.Depends(one)],
                    b: Annotated[Any, fw.Depends(two)],
                    c: Annotated[Any, fw.Depends(between)],
                ) -> Any:
                    log.append("endpoint")
                    check()
                    return [a, b]

                return app

            return build

        for second in (None, "plain", "swallows", "raises after", "changes"):
            for where in ("endpoint", "dependency"):
                compare(make(second, where), [Ask(), Ask()])


class TestLateOverrides:
    """A dependency that overrides another one while the request runs: FastAPI asks at each use."""

    @pytest.mark.parametrize("position", overrides.POSITIONS)
    @pytest.mark.parametrize("target", overrides.TARGETS)
    def test_targets(self, target: str, position: str) -> None:
        for replacement in ("async", "generator", "that needs a parameter"):
            compare(overrides.late(target, replacement, position), overrides.ASKS)

    @pytest.mark.parametrize("position", overrides.POSITIONS)
    @pytest.mark.parametrize("replacement", overrides.REPLACEMENTS)
    def test_replacements(self, replacement: str, position: str) -> None:
        for target in ("async", "generator", "bearer"):
            compare(overrides.late(target, replacement, position), overrides.ASKS)

    @pytest.mark.parametrize("switch", KINDS)
    @pytest.mark.parametrize("last", shapes.ENDPOINTS)
    def test_who_does_it(self, switch: str, last: str) -> None:
        for position in ("first", "between", "before a generator"):
            make = overrides.late("with parameters", "with a child", position, switch_kind=switch, last=last)
            compare(make, overrides.ASKS)

    def test_an_override_is_used(self, framework: Framework) -> None:
        """The control: what is compared above is not two applications without overrides."""
        answer = answers(framework, overrides.late("async", "sync", "first"), overrides.ASKS)[0]
        assert answer.body == b'{"d0":"\'on\'","d1":"\'new()\'","d2":"\'other(0)\'","d3":"\'new()\'"}'

    @pytest.mark.parametrize("clears", [True, False])
    def test_by_another_request(self, clears: bool) -> None:
        """A request waits in a dependency; meanwhile another one overrides what comes next, and may take it back."""
        seen = [run(lambda fw=fw: self.two_requests(fw, clears)) for fw in BOTH]  # type: ignore[misc]  # mypy knows no defaults here
        assert seen[0] == seen[1]
        assert seen[0][0].body == (b'["target","b"]' if clears else b'["new","b"]')

    @staticmethod
    async def two_requests(fw: Framework, clears: bool) -> list[Any]:
        app = fw.FastAPI()
        waiting, go_on = anyio.Event(), anyio.Event()

        async def wait() -> None:
            waiting.set()
            await go_on.wait()

        async def target() -> str:
            return "target"

        async def after() -> str:
            return "b"

        @app.get("/")
        async def root(
            w: Annotated[Any, fw.Depends(wait)],
            t: Annotated[Any, fw.Depends(target)],
            a: Annotated[Any, fw.Depends(after)],
        ) -> Any:
            return [t, a]

        found: list[Any] = []

        async def ask() -> None:
            found.append(await exchange(app, Ask()))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await waiting.wait()
            app.dependency_overrides[target] = lambda: "new"
            if clears:
                app.dependency_overrides.clear()
            go_on.set()
        return found
