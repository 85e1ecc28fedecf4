"""`HttpExchange`: a request that the transport has read itself, and how its response is written."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from starlette.types import Message, Scope, Send

from .._native import InFlightRequest, Noting, Reader, RequestHead, send_whole
from ..routing._table import Target
from ..serve.exchange import Exchange, pairs_of, send_in_messages

if TYPE_CHECKING:
    from ._site import Site


class HttpExchange(Exchange):
    """A request that the transport serves itself. Its scope is made when something asks for it.

    Parameters:
        flight: the native side, which knows what has become of the request.
        head: the request's head.
        site: the application.
        target: the route.
        params: the path parameters.
        content: the body; None if the client left before it was complete.
        roots: the root paths of a mounted application, and of the one around all.
    """

    effective: Any = None
    _scope: Scope | None = None

    def __init__(
        self,
        flight: InFlightRequest,
        head: RequestHead,
        site: Site,
        target: Target,
        params: dict[str, Any],
        content: bytes | None,
        roots: tuple[str, str] | None = None,
    ) -> None:
        self.flight = flight
        self.content = content
        self.site = site
        self.head = head
        self.target = target
        self.params = params
        self.roots = roots

    @property
    def scope(self) -> Scope:  # type: ignore[override]  # a property here, made when asked for
        """The ASGI scope, as uvicorn and the application would have made it by now."""
        scope = self._scope
        if scope is None:
            scope = self._scope = self.flight.scope_at(self.site.native, self.target, self.params, self.roots)
            if self.effective is not None:
                scope["fastapi"] = self.effective.noted()
        return scope

    # The engine's side

    @property
    def has_left(self) -> bool:
        return self.flight.started

    @property
    def handlers(self) -> Any:
        return self.site.handlers

    def read(self, reader: Reader) -> list[dict[str, Any] | None] | None:
        if self._scope is not None:  # a dependency may have edited it
            return reader.read(self._scope)
        return reader.read_head(self.head, self.params)

    def peek(self, key: str) -> Any:
        if self._scope is None and not self.site.native.limits_forms():
            return None
        return self.scope.get(key)

    def header(self, name: bytes) -> bytes | None:
        return self.head.header(name) if self._scope is None else super().header(name)

    def has_whole_body(self, most: int) -> bool:
        content = self.content
        if self.request_object is not None or content is None or len(content) > most:
            return False
        return not self.flight.disconnected and not self.flight.response_complete

    def take_whole_body(self) -> bytes:
        content, self.content = self.content, None
        return content or b""

    def settle_headers(self) -> None:
        """Nothing to do: the head is complete before anybody sees it."""

    def place(self, route: Any) -> None:
        self.effective = route
        if self._scope is not None:
            super().place(route)

    def _behind_middleware(self) -> Send:
        return self.flight.sending(self.site.native) or self.flight.send

    def send_body(self, status: int, headers: bytes | list[tuple[bytes, bytes]], body: bytes) -> Awaitable[None] | None:
        self.started = True
        send = self.flight.sending(self.site.native)
        if send is None:
            self.flight.respond(status, headers, body)
            return None
        pairs = pairs_of(headers, body)
        return None if send_whole(send, status, pairs, body) else send_in_messages(send, status, list(pairs), body)

    # ASGI, for whatever asks for it

    async def receive(self) -> Message:
        content, self.content = self.content, None
        if content is not None and not self.flight.disconnected and not self.flight.response_complete:
            return {"type": "http.request", "body": content, "more_body": False}
        message: Message = await self.flight.receive()
        return message

    async def send(self, message: Message) -> None:
        """Take a message of a response that is none of the middleware's."""
        if message["type"] == "http.response.start":
            self.started = True
        await self.flight.send(message)

    @property
    def send_noting(self) -> Send:
        """The send callable for code that sends by itself: behind the middleware."""
        return Noting(self, self._behind_middleware())
