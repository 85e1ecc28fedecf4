"""Which providers are used, and when: passed ones, global ones, those that record nothing."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry._logs import _internal as logs
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.metrics import _internal as metrics
from opentelemetry.trace import NoOpTracerProvider
from starlette.testclient import TestClient
from support.asgi import Ask, exchange, run
from support.frameworks import BOTH, Framework

from ._record import Recorder, neutral

Globals = Any
PLACES = {"tracer": trace, "meter": metrics, "logger": logs}
"""The modules that hold OpenTelemetry's global providers, which can be set once only."""


@pytest.fixture
def set_global(monkeypatch: pytest.MonkeyPatch) -> Globals:
    """Makes a recorder's providers the global ones: all, or the named."""

    def put(recorder: Recorder, *names: str) -> None:
        for name, module in PLACES.items():
            if not names or name in names:
                monkeypatch.setattr(module, f"_{name.upper()}_PROVIDER", recorder.settings[f"{name}_provider"])

    return put


def _app(fw: Framework, telemetry: Any = None, **options: Any) -> Any:
    app = fw.FastAPI(**options) if telemetry is None else fw.FastAPI(telemetry=telemetry, **options)

    @app.get("/")
    async def read(fails: bool = False) -> bool:
        if fails:
            raise ValueError("on purpose")
        return fw.telemetry.get_telemetry_data() is not None

    return app


def _ask(app: Any, *asks: Ask) -> list[Any]:
    async def main() -> list[Any]:
        return [(await exchange(app, ask)).body for ask in asks]

    bodies: list[Any] = run(main)
    return bodies


ASKS = (Ask(), Ask(query=b"fails=1"), Ask(query=b"fails=x"))


@pytest.mark.parametrize("names", [(), ("tracer",), ("meter",), ("logger",), ("meter", "logger")])
def test_global_providers_are_used(names: tuple[str, ...], set_global: Globals) -> None:
    found = []
    for fw in BOTH:
        recorder = Recorder()
        set_global(recorder, *names)
        found.append((_ask(_app(fw), *ASKS), neutral(recorder.all())))
    assert found[0] == found[1]


def test_another_global_provider_takes_over(set_global: Globals) -> None:
    for fw in BOTH:
        first, second = Recorder(), Recorder()
        set_global(first)
        app = _app(fw)
        _ask(app, *ASKS)
        before = len(first.spans())
        set_global(second)
        _ask(app, *ASKS)
        assert len(first.spans()) == before
        assert neutral(second.spans()) == neutral(first.spans())


def test_providers_that_are_set_while_the_application_starts_are_used(
    set_global: Globals, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for fw in BOTH:
        recorder = Recorder()

        @asynccontextmanager
        async def lifespan(app: Any, recorder: Recorder = recorder) -> AsyncIterator[None]:
            set_global(recorder)
            yield

        for name, module in PLACES.items():
            monkeypatch.setattr(module, f"_{name.upper()}_PROVIDER", None)
        with TestClient(_app(fw, lifespan=lifespan)) as client:
            found.append((client.get("/").json(), neutral(recorder.all())))
    assert found[0] == found[1]
    assert found[0][0] is True


@pytest.mark.parametrize("framework", BOTH, ids=str)
def test_a_provider_that_records_nothing_is_none(framework: Framework) -> None:
    api = {
        "tracer_provider": NoOpTracerProvider(),
        "meter_provider": NoOpMeterProvider(),
        "logger_provider": NoOpLoggerProvider(),
    }
    assert _ask(_app(framework, api), Ask()) == [b"false"]


def test_tracers_are_made_once_and_late(monkeypatch: pytest.MonkeyPatch) -> None:
    for fw in BOTH:
        recorder = Recorder()
        calls: list[Any] = []
        provider = recorder.settings["tracer_provider"]
        original = provider.get_tracer

        def counting(*given: Any, original: Any = original, calls: list[Any] = calls, **named: Any) -> Any:
            calls.append(given)
            return original(*given, **named)

        monkeypatch.setattr(provider, "get_tracer", counting)
        app = _app(fw, recorder.settings)
        assert not calls
        _ask(app, *ASKS, *ASKS)
        assert len(calls) == 1


def test_an_application_may_have_served_before_one_around_it_records() -> None:
    gc.collect()  # what other tests have recorded with
    found = []
    for fw in BOTH:
        recorder = Recorder()
        inner = _app(fw)
        alone = _ask(inner, *ASKS)
        outer = _app(fw, recorder.settings)
        outer.mount("/inner", inner)
        below = _ask(outer, *(Ask(path="/inner/", query=ask.query) for ask in ASKS))
        found.append((alone, below, _ask(inner, *ASKS), neutral(recorder.all())))
    assert found[1] == found[0]
    assert any(span["name"].endswith(".endpoint") for span in found[0][-1]["spans"])


@pytest.mark.parametrize(
    "outer",
    [
        {},
        {"tracing": False, "metrics": False, "logs": False},
        {"operation_spans": False},
        {"exclude": lambda scope: True},
        None,
    ],
)
@pytest.mark.parametrize("inner", [{}, {"exclude": lambda scope: True}, {"logs": False}, None])
def test_the_outermost_application_that_records_decides(outer: Any, inner: Any) -> None:
    found = []
    for fw in BOTH:
        recorders = Recorder(), Recorder()
        apps = []
        for settings, recorder in zip((outer, inner), recorders, strict=True):
            apps.append(_app(fw, None if settings is None else recorder.settings | settings))
        apps[0].mount("/inner", apps[1])
        bodies = _ask(apps[0], *(Ask(path="/inner/", query=ask.query) for ask in ASKS))
        found.append((bodies, [neutral(recorder.all()) for recorder in recorders]))
    assert found[0] == found[1]


def test_settings_are_completed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("true", "TRUE", "True", "1", "yes", " true", ""):
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", value)
        for given in (None, {}, {"tracing": False}, {"auto_configure": False}, {"auto_configure": True}):
            theirs, ours = (fw.FastAPI(telemetry=given)._telemetry for fw in BOTH)
            assert ours == theirs


@pytest.mark.parametrize("given", [[], "text", 5, True, ()])
def test_settings_that_are_no_dictionary_are_refused(given: Any) -> None:
    for fw in BOTH:
        with pytest.raises(TypeError):
            fw.FastAPI(telemetry=given)
