"""Endpoints that ``yield``: JSON Lines by default, server-sent events, or raw chunks for another response class."""

from __future__ import annotations

import asyncio
import functools
import json
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .._draining import Drain
from .._hooks import put_in_place
from .._scopes import on_asyncio
from ..compile.boundary import ReplyPlan
from ..compile.step import Step
from ..declare.callables import Kind
from ..declare.foreign_classes import is_foreign_event
from ..declare.handler_facts import HandlerFacts
from ..sse import KEEPALIVE_COMMENT, EventSourceResponse, ServerSentEvent, format_sse_event
from .exchange import Exchange
from .listening import in_threads
from .respond import Responder, encode_plain, endpoint_context, response_refusal, sends_events

PING_INTERVAL = 15.0
"""Seconds without an event after which a comment keeps the connection open."""


def finite(value: Any) -> Any:
    """`value` with null in place of NaN and infinities, which JSON doesn't have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return value


class Items:
    """What an endpoint yields, each item encoded. The engine takes the two apart, and goes through the items itself.

    Parameters:
        items: an asynchronous generator.
        encode: makes the bytes of an item.
    """

    __slots__ = ("_encoded", "encode", "items")

    def __init__(self, items: Any, encode: Callable[[Any], bytes]) -> None:
        self.items = items
        self.encode = encode
        self._encoded: AsyncGenerator[bytes] | None = None

    def __aiter__(self) -> AsyncGenerator[bytes]:
        self._encoded = self._encode()
        return self._encoded

    async def _encode(self) -> AsyncGenerator[bytes]:
        async with aclosing(self.items):
            async for item in self.items:
                yield self.encode(item)

    async def aclose(self) -> None:
        """Close the generator, and what encodes its items, which would close it beside this if nobody held it."""
        if self._encoded is not None:
            await self._encoded.aclose()
        await self.items.aclose()


class _Nothing:
    """In the place of an exchange on which nothing was noted."""

    injected = background = None


class StreamResponder(Responder):
    """How a route with a generator endpoint responds."""

    streams = True
    items = Items
    events_class: type[Response] | None = None
    """The class of responses with events that this makes."""

    def __init__(self, route: HandlerFacts, in_thread: bool) -> None:
        super().__init__(route, in_thread)
        self.immediate = self.is_plain = False
        self.route = route
        self.item_field = route.stream_item_field
        self.is_json = route.is_json_stream
        self.is_events = route.is_sse_stream or sends_events(route)
        if self.is_events:
            self.events_class = _Events

    def reply_plan(self) -> ReplyPlan:
        """How the endpoint's result becomes a response."""
        plan = super().reply_plan()
        return {**plan, "kind": "stream", "items": self.items, "is_noted": self.is_events, "events": self.events_class}

    def maker(self, endpoint: Step) -> Callable[..., Any]:
        """What makes the generator of an endpoint, which isn't begun.

        Synchronous ones are iterated in threads, unless the response class decides that.
        """
        if endpoint.kind in (Kind.ASYNC, Kind.ASYNC_GENERATOR) or not (self.is_json or self.is_events):
            return endpoint.call

        def make(**values: Any) -> Any:
            made = endpoint.call(**values)
            return made if isinstance(made, Response) else in_threads(made)

        return make

    async def response(self, x: Exchange, result: Any) -> Response:
        """A streaming response over the generator."""
        return self.finished(x, result) if isinstance(result, Response) else self.stream(x, result)

    def stream(self, x: Exchange | None, generator: Any) -> Response:
        """A streaming response over the generator.

        Parameters:
            x: the exchange; None if nothing was noted on it. Events need it.
            generator: what the endpoint has made.
        """
        noted: Any = _Nothing if x is None else x
        if self.is_events:
            events = functools.partial(_events, noted, self._event)
            return self.made(noted, Items(generator, self._event), events)
        if self.is_json:
            return self.made(noted, Items(generator, self._line), _json_lines)
        return self.made(noted, generator)

    def _json(self, item: Any) -> str:
        field = self.item_field
        if field is None:
            data = encode_plain(item)
            try:
                return json.dumps(data, allow_nan=False)
            except ValueError:
                return json.dumps(finite(data))
        value, errors = field.validate(item, loc=("response",))
        if errors:
            raise response_refusal(errors, item, endpoint_context(self.route))
        return field.serialize_json(value, **self.serializer.options).decode()

    def _line(self, item: Any) -> bytes:
        return self._json(item).encode() + b"\n"

    def _event(self, item: Any) -> bytes:
        if not isinstance(item, ServerSentEvent) and not is_foreign_event(type(item)):
            text = self._json(item)
            if put_in_place("ferrapi.routing", "format_sse_event", format_sse_event) is not format_sse_event:
                return _formatted(data_str=text)
            return b"data: " + text.encode() + b"\n\n"  # JSON has no line breaks
        data = item.raw_data
        if data is None and isinstance(item.data, BaseModel):
            data = item.data.model_dump_json()
        elif data is None and item.data is not None:
            plain = encode_plain(item.data)
            try:
                data = json.dumps(plain, allow_nan=False)
            except ValueError:
                data = json.dumps(finite(plain))
        return _formatted(data_str=data, event=item.event, id=item.id, retry=item.retry, comment=item.comment)


def _formatted(**fields: Any) -> bytes:
    """An event, as `format_sse_event` writes it, or what somebody has put in its place."""
    return put_in_place("ferrapi.routing", "format_sse_event", format_sse_event)(**fields)


def _json_lines(content: Any, **arguments: Any) -> Response:
    """A response with JSON Lines."""
    kind = put_in_place("ferrapi.routing", "StreamingResponse", StreamingResponse)
    return kind(content, media_type="application/jsonl", **arguments)


def ping_interval() -> float:
    """Seconds without an event after which a comment keeps the connection open."""
    return put_in_place("ferrapi.routing", "_PING_INTERVAL", PING_INTERVAL)


class _Events(EventSourceResponse):
    """Server-sent events, with a comment whenever there was none for a while.

    What makes the events runs in a task of its own, because a wait for the next one can't be abandoned and taken up
    again; and so does what adds the comments. Their task group is around the sending of the response: an exception of
    the generator cancels that, and comes out of the group. If it comes when the response has been sent, the request is
    an answered one.
    """

    exchange: Exchange
    encode: Callable[[Any], bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made, events = anyio.create_memory_object_stream[bytes](1)
        pinged, sent = anyio.create_memory_object_stream[bytes]()
        source = self.body_iterator
        self.body_iterator = sent
        with made, events, pinged, sent:
            async with anyio.create_task_group() as tasks:
                self._make(tasks, source, made)
                tasks.start_soon(_add_pings, events, pinged)
                await super().__call__(scope, receive, send)
                self.exchange.replied = True
                tasks.cancel_scope.cancel()

    def beat(self) -> tuple[asyncio.AbstractEventLoop, float, bytes] | None:
        """What the engine needs to send the events itself: the event loop, the interval of the comments, and a comment.

        None if this has to be called: when there is a last event, or another event loop than asyncio's.
        """
        app = self.exchange.scope.get("app")
        if getattr(app, "last_event", None) is not None or not on_asyncio():
            return None
        return asyncio.get_running_loop(), ping_interval(), KEEPALIVE_COMMENT

    def _make(self, tasks: TaskGroup, source: Any, made: MemoryObjectSendStream[bytes]) -> None:
        """Make the events in a task, until there are no more or the application drains and has a last one."""
        app: Any = self.exchange.scope.get("app")
        last = getattr(app, "last_event", None)
        if callable(last):
            last = last(self.exchange.request)
        if last is None:
            tasks.start_soon(_pass_on, source, made)
            return
        drain, passing = app._drain, anyio.CancelScope()
        tasks.start_soon(_pass_on_until, drain, passing, source, made, self.encode(last))
        tasks.start_soon(_cancel_at, drain, passing)


def _events(x: Exchange, encode: Callable[[Any], bytes], content: Any, **arguments: Any) -> _Events:
    """A response with events that no cache and no proxy holds back."""
    response = _Events(content, **arguments)
    response.exchange, response.encode = x, encode
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def _pass_on(source: Any, made: MemoryObjectSendStream[bytes]) -> None:
    with made:
        try:
            async for event in source:
                await made.send(event)
        finally:
            with anyio.CancelScope(shield=True):
                await source.aclose()


async def _pass_on_until(
    drain: Drain, passing: anyio.CancelScope, source: Any, made: MemoryObjectSendStream[bytes], last: bytes
) -> None:
    with made:
        with passing:
            await _pass_on(source, made.clone())
        if drain.begun:
            await made.send(last)


async def _cancel_at(drain: Drain, passing: anyio.CancelScope) -> None:
    await drain.wait()
    passing.cancel()


async def _add_pings(events: MemoryObjectReceiveStream[bytes], pinged: MemoryObjectSendStream[bytes]) -> None:
    with pinged, events:
        while True:
            try:
                with anyio.fail_after(ping_interval()):
                    event = await events.receive()
            except TimeoutError:
                event = KEEPALIVE_COMMENT
            except anyio.EndOfStream:
                return
            await pinged.send(event)
