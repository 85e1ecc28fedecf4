"""uvicorn's protocol, watched: where its parser stands, and how much of a head it has swallowed.

httptools keeps a head of any length, and appends a chunked body's trailers to the request's headers while the handler
reads them. Here a head has a limit, and trailers are dropped (RFC 9110, section 6.5.1, allows that; a header that is
looked at before the body can't be forged after it).
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ._limits import MAX_HEAD

_TOO_LARGE = b"Request header fields too large."


class HeadTooLarge(Exception):
    """Raised out of the parser's callbacks to stop it."""


class HandedOver(HttpToolsProtocol):
    """The part of the door that is uvicorn's."""

    _between_messages = True
    _in_head = False
    _progress = False  # whether the parser has come past a head, or to a piece of a body
    _unended = 0  # bytes since then
    _head_size = 0
    _too_large = False

    def feed(self, data: bytes) -> None:
        """Give bytes to uvicorn."""
        self._progress = False
        HttpToolsProtocol.data_received(self, data)
        if self._progress or self._between_messages:
            self._unended = 0
            return
        self._unended += len(data)
        if self._unended > MAX_HEAD and not self.transport.is_closing():
            self._too_large = True
            self.send_400_response("")

    def is_between_requests(self) -> bool:
        """Whether uvicorn is done with all it was given."""
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and self._between_messages
            and not self.pipeline
            and self.parser is not None
        )

    def on_message_begin(self) -> None:
        self._between_messages = False
        self._in_head = True
        self._head_size = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4  # with the colon, a blank and the line's end
        if self._head_size > MAX_HEAD:
            self._too_large = True
            raise HeadTooLarge
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_size + len(self.url) > MAX_HEAD:
            self._too_large = True
            raise HeadTooLarge
        self._in_head = False
        self._progress = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress = True
        super().on_message_complete()
        self._between_messages = True

    def send_400_response(self, msg: str) -> None:
        if not self._too_large:
            super().send_400_response(msg)
            return
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self.send_431_response()
        else:  # somebody else's response is on its way
            self.transport.close()

    def send_431_response(self) -> None:
        """Refuse a request whose head is too large, and close the connection."""
        self.logger.warning("Request header fields too large.")
        content = [STATUS_LINE[431]]
        for name, value in self.server_state.default_headers:
            content += [name, b": ", value, b"\r\n"]
        content.append(b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n")
        content.append(b"content-length: %d\r\n\r\n" % len(_TOO_LARGE))
        content.append(_TOO_LARGE)
        self.transport.write(b"".join(content))
        self.transport.close()
