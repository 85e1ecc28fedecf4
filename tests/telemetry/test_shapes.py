"""Both packages record the same spans, logs and metrics of the same requests, with each setting."""

from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from support.asgi import Ask
from support.frameworks import BOTH

from . import _more_shapes, _shapes
from ._record import compare, record

SHAPES = {
    "routes": (_shapes.routes, _shapes.ROUTES),
    "dependencies": (_shapes.dependencies, _shapes.DEPENDENCIES),
    "mounts": (_shapes.mounts, _shapes.MOUNTS),
    "streams": (_shapes.streams, _shapes.STREAMS),
    "tasks": (_more_shapes.tasks, _more_shapes.TASKS),
    "layers": (_more_shapes.layers, _more_shapes.LAYERS),
    "sockets": (_more_shapes.sockets, _more_shapes.SOCKETS),
    "odds": (_more_shapes.odds, _more_shapes.ODDS),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "all": {},
    "no operations": {"operation_spans": False},
    "no spans": {"tracing": False},
    "no metrics": {"metrics": False},
    "no logs": {"logs": False},
    "only metrics": {"tracing": False, "logs": False},
    "only logs": {"tracing": False, "metrics": False},
    "nothing": {"tracing": False, "metrics": False, "logs": False},
    "some excluded": {"exclude": lambda scope: "1" in scope["path"]},
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("shape", SHAPES)
def test_both_record_the_same(shape: str, settings: dict[str, Any]) -> None:
    make, asks = SHAPES[shape]
    recorded = compare(make, asks, **settings)
    assert recorded["answers"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("shape", SHAPES)
def test_both_record_the_same_on_trio(shape: str) -> None:
    compare(*SHAPES[shape], backend="trio")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("shape", SHAPES)
def test_an_observed_application_records_the_same(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a function replaced by which tracing tools follow requests."""
    for fw in BOTH:
        original = fw.routing.run_endpoint_function

        async def run(*, original: Any = original, **arguments: Any) -> Any:
            return await original(**arguments)

        monkeypatch.setattr(fw.routing, "run_endpoint_function", run)
    compare(*SHAPES[shape])


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("shape", SHAPES)
def test_answers_are_the_same_with_telemetry_as_without(shape: str) -> None:
    make, asks = SHAPES[shape]
    without = record(BOTH[1], make, asks, tracing=False, metrics=False, logs=False)["answers"]
    assert record(BOTH[1], make, asks)["answers"] == without


@pytest.mark.usefixtures("quiet")
def test_exceptions_are_logged_when_the_trace_is_not_sampled() -> None:
    make, asks = SHAPES["routes"]

    def unsampled(fw: Any, telemetry: dict[str, Any], log: list[Any]) -> Any:
        telemetry["tracer_provider"].sampler = ALWAYS_OFF
        return make(fw, telemetry, log)

    expected, actual = (record(fw, unsampled, asks) for fw in BOTH)
    for recorded in (expected, actual):
        for log in recorded["logs"]:
            assert log.pop("span") != 0
    assert actual == expected
    assert not expected["spans"]
    assert expected["logs"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("shape", ["mounts", "sockets"])
def test_nothing_is_recorded_of_what_somebody_around_has_decided_on(shape: str) -> None:
    """Tools that record requests themselves mark them with FastAPI's key in the scope, whatever they put there."""
    make, asks = SHAPES[shape]

    def marked(fw: Any, telemetry: dict[str, Any], log: list[Any]) -> Any:
        app = make(fw, telemetry, log)

        async def marking(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("fastapi.telemetry", None)
            await app(scope, receive, send)

        return marking

    recorded = compare(marked, asks)
    assert not recorded["spans"]
    assert recorded["answers"]


@pytest.mark.usefixtures("quiet")
def test_exceptions_come_to_what_stands_in_the_place_of_the_outermost_layer() -> None:
    """Instrumentation of OpenTelemetry's puts its own layers there, and records exceptions before the response."""
    make, asks = SHAPES["routes"]
    seen: dict[str, list[str]] = {fw.package: [] for fw in BOTH}

    def replacing(fw: Any, telemetry: dict[str, Any], log: list[Any]) -> Any:
        app = make(fw, telemetry, log)
        build = app.build_middleware_stack

        def built() -> Any:
            outer = build()
            assert isinstance(outer, ServerErrorMiddleware)

            async def noting(scope: Any, receive: Any, send: Any) -> None:
                async def noted(message: Any) -> None:
                    seen[fw.package].append(message["type"])
                    await send(message)

                try:
                    await outer.app(scope, receive, noted)
                except Exception as exc:
                    seen[fw.package].append(type(exc).__name__)
                    raise

            return ServerErrorMiddleware(noting, handler=outer.handler, debug=outer.debug)

        app.build_middleware_stack = built
        return app

    expected, actual = (record(fw, replacing, asks) for fw in BOTH)
    assert actual["answers"] == expected["answers"]
    assert seen["ferrapi"] == seen["fastapi"]
    assert "http.response.start" in seen["fastapi"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("excludes", [False, True])
def test_a_request_is_marked_until_it_is_over(excludes: bool, raises: bool) -> None:
    """By FastAPI's key in its scope, even if it is left out: applications below leave it out, too, then."""
    left = []

    def make(fw: Any, telemetry: dict[str, Any], log: list[Any]) -> Any:
        below = fw.FastAPI(telemetry=telemetry)
        app = fw.FastAPI(telemetry={**telemetry, "exclude": lambda scope: excludes})
        app.mount("/below", below)
        for one in (app, below):

            @one.get("/x")
            def endpoint(request: Request) -> Any:
                if raises:
                    raise ValueError
                return fw.Response(status_code=202 if "fastapi.telemetry" in request.scope else 200)

        async def looking(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                left.append("fastapi.telemetry" in scope)

        return looking

    recorded = compare(make, [Ask(path="/x"), Ask(path="/below/x")])
    assert bool(recorded["spans"]) is not excludes
    assert [status for status, *_ in recorded["answers"]] == [500 if raises else 202] * 2
    assert left == [False] * 4
