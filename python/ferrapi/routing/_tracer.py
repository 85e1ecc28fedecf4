"""`Tracer`: what is told of the steps of a request that somebody wants to follow, and how a route is served then.

An ASGI layer that wants to follow a request puts a tracer into its scope. Such a request is served on the reference
path, with the calls to the tracer around the steps; all others know nothing of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from starlette.responses import Response

from ..dependencies._callables import Kind
from ..dependencies._values import MISSING
from ..exceptions import EndpointContext, RequestValidationError, WebSocketRequestValidationError
from ._compiled import Compiled
from ._exchange import Exchange
from ._plan import Plan, SoFar
from ._respond import Responder
from ._step import Step


class Tracer(Protocol):
    """What follows one request or connection."""

    def matched(self, template: str, mounted_at: str | None = None) -> None:
        """A router has found the route whose path is `template`; `mounted_at` is the template of a mount's prefix."""

    def started(self, x: Exchange) -> None:
        """The route begins with its work."""

    def read(self, body: Any) -> None:
        """The body was read."""

    def solved(self, values: dict[str, Any], errors: Sequence[Any]) -> None:
        """The dependencies have run, and the endpoint's arguments are `values` or have `errors`."""

    def refused(self, errors: Sequence[Any]) -> None:
        """The request is refused because of `errors`."""

    def step(self, name: str, call: Callable[..., Any]) -> AbstractContextManager[None]:
        """The context of one step: ``"dependencies"``, ``"endpoint"`` or ``"serialization"`` of the endpoint `call`."""


class _Silent:
    """A tracer that follows nothing."""

    def matched(self, template: str, mounted_at: str | None = None) -> None:
        """Nothing."""

    def started(self, x: Exchange) -> None:
        """Nothing."""

    def read(self, body: Any) -> None:
        """Nothing."""

    def solved(self, values: dict[str, Any], errors: Sequence[Any]) -> None:
        """Nothing."""

    def refused(self, errors: Sequence[Any]) -> None:
        """Nothing."""

    def step(self, name: str, call: Callable[..., Any]) -> AbstractContextManager[None]:
        """A context that does nothing."""
        return nullcontext()


SILENT: Tracer = _Silent()


@contextmanager
def telling_body(tracer: Tracer) -> Iterator[Callable[[Any], None]]:
    """The context in which a body is read, with a function to tell what it says."""
    try:
        yield lambda body: tracer.read(None if body is MISSING else body)
    except RequestValidationError as exc:
        tracer.read(exc.body)
        tracer.refused(exc.errors())
        raise


def followed(compiled: Compiled, tracer: Tracer) -> Compiled:
    """`compiled`, with a responder that tells `tracer` what it does."""
    telling: Any = copy.copy(compiled)
    telling.responder = _Telling(compiled.responder, tracer, compiled.base.endpoint.call)
    return telling  # type: ignore[no-any-return]  # a copy


async def followed_result(x: Exchange, compiled: Compiled, plan: Plan, tracer: Tracer) -> Any:
    """What the endpoint returns, or the generator that it is."""
    tracer.started(x)
    so_far = await _before_body(x, compiled, plan, tracer) if compiled.reads_body_last else None
    with telling_body(tracer) as tell:
        body = await compiled.body(x) if compiled.has_body else MISSING
        tell(body)
    values, errors = await _solve(x, plan, body, compiled.provider, tracer, so_far)
    if values is None:
        tracer.refused(errors)
    return await compiled.responder.call(x, plan.endpoint, compiled.valid(values, errors, body))


async def follow_socket(x: Exchange, plan: Plan, tracer: Tracer, place: EndpointContext) -> None:
    """Run the endpoint of a WebSocket, which is at `place`."""
    tracer.started(x)
    values, errors = await _solve(x, plan, MISSING, None, tracer)
    if values is None:
        tracer.refused(errors)
        raise WebSocketRequestValidationError(errors, endpoint_ctx=place)
    with tracer.step("endpoint", plan.endpoint.call):
        await plan.endpoint.call(**values)


async def _before_body(x: Exchange, compiled: Compiled, plan: Plan, tracer: Tracer) -> SoFar:
    try:
        with tracer.step("dependencies", plan.endpoint.call):
            return await compiled.before_body(x, plan)
    except RequestValidationError as exc:
        tracer.refused(exc.errors())
        raise


async def _solve(
    x: Exchange, plan: Plan, body: Any, provider: Any, tracer: Tracer, so_far: SoFar | None = None
) -> tuple[dict[str, Any] | None, list[Any]]:
    so_far = so_far or ([], set(), [])
    with tracer.step("dependencies", plan.endpoint.call):
        values, errors = await plan.values(x, plan.read(x), body, provider, so_far)
        tracer.solved(await plan.as_far(x, body, so_far[0]) if values is None else values, errors)
    return values, errors


class _Telling:
    """A responder that tells what it does: the part of one that the reference path uses."""

    def __init__(self, responder: Responder, tracer: Tracer, call: Callable[..., Any]) -> None:
        self._responder = responder
        self._tracer = tracer
        self._call = call
        self.send = responder.send

    async def call(self, x: Exchange, endpoint: Step, values: dict[str, Any]) -> Any:
        """Run the endpoint. A generator only begins when it is sent: that is no step."""
        if endpoint.kind >= Kind.GENERATOR:
            return await self._responder.call(x, endpoint, values)
        with self._tracer.step("endpoint", self._call):
            return await self._responder.call(x, endpoint, values)

    async def response(self, x: Exchange, result: Any) -> Response:
        """A response object for `result`. Rendering by a response class is no part of the step."""
        own = self._responder
        if isinstance(result, Response) or own.streams:
            return await own.response(x, result)
        serialize = own.serializer.to_bytes if own.writes_model else own.serializer.to_data
        with self._tracer.step("serialization", self._call):
            content = await serialize(result)
        return own.rendered(x, content)

    respond = response
