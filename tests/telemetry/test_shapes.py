"""Both packages record the same spans, logs and metrics of the same requests, with each setting."""

from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
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
