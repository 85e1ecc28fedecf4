"""Reading a declared form: natively while it arrives, its files to disk without holding up the event loop.

A file stays in memory up to Starlette's `MultiPartParser.spool_max_size`; beyond that it is a temporary file, which is
written in worker threads, some hundred kilobytes at a time. What is held in memory is bounded for any body. A file that
was begun when reading ends early (a refused form, a client that went away, a cancelled task) is closed at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.requests import ClientDisconnect

from .._native import FormParser, FormRefused
from ..declare.limits import FormBounds
from .exchange import Exchange
from .files import adopt_form

WRITE_SIZE = 256 * 1024
"""Bytes of a large file that one worker thread takes at a time."""

Item = tuple[str, str | UploadFile]
FormEvent = tuple[str, str] | tuple[str, str, list[tuple[bytes, bytes]]] | bytes | None


class _Incoming:
    """An uploaded file while it arrives."""

    def __init__(self, name: str, filename: str, headers: list[tuple[bytes, bytes]]) -> None:
        self.name = name
        self.filename = filename
        self.headers = headers
        self.spool = MultiPartParser.spool_max_size
        self.file = SpooledTemporaryFile(max_size=self.spool)  # noqa: SIM115  # closed with the form
        self.size = 0
        self._pending: list[bytes] = []
        self._pending_size = 0

    def write(self, data: bytes) -> Callable[[], None] | None:
        """Take the next bytes; what is returned has to be called in a worker thread before the next ones."""
        self.size += len(data)
        if self.size <= self.spool:
            self.file.write(data)
            return None
        self._pending.append(data)
        self._pending_size += len(data)
        return self._flush if self._pending_size >= WRITE_SIZE else None

    def _flush(self) -> None:
        self.file.writelines(self._pending)
        self._pending = []
        self._pending_size = 0

    def _finish(self) -> None:
        self._flush()
        self.file.seek(0)

    def finish(self) -> Callable[[], None] | None:
        """Have the whole file at its beginning; what is returned has to be called in a worker thread."""
        if self.size > self.spool:
            return self._finish
        self.file.seek(0)
        return None

    def as_upload(self) -> UploadFile:
        """The file as users see it."""
        return UploadFile(
            file=self.file,  # type: ignore[arg-type]  # a spooled file does what a binary file does
            size=self.size,
            filename=self.filename,
            headers=Headers(raw=self.headers),
        )


class _Form:
    """A form while it arrives."""

    def __init__(self, parser: FormParser) -> None:
        self.parser = parser
        self.items: list[Item] = []
        self._open: _Incoming | None = None
        self._files: list[SpooledTemporaryFile[bytes]] = []

    async def take(self, events: Iterable[FormEvent]) -> None:
        """Take what a piece of the body has completed."""
        for event in events:
            work = self.take_one(event)
            if work is not None:
                await run_in_threadpool(work)

    def take_one(self, event: FormEvent) -> Callable[[], None] | None:
        """Take an event; what is returned has to be called in a worker thread before the next one."""
        if event is None:
            return self._end_file()
        if isinstance(event, bytes):
            return None if self._open is None else self._open.write(event)
        if len(event) == 2:
            self.items.append(event)
        else:
            self._open = _Incoming(*event)
            self._files.append(self._open.file)
        return None

    def _end_file(self) -> Callable[[], None] | None:
        ended, self._open = self._open, None
        if ended is None:
            return None
        self.items.append((ended.name, ended.as_upload()))
        return ended.finish()

    def of_whole(self, body: bytes) -> FormData:
        """The form that is in a body of a size at which files stay in memory, so that there is nothing to wait for."""
        try:
            for event in self.parser.feed(body):
                self.take_one(event)
            return self.finish()
        except BaseException:
            self.close()
            raise

    def finish(self) -> FormData:
        """The form, when the body has ended."""
        self.items += self.parser.finish()
        if self._open is not None:  # the body ended in the middle of a file, which isn't part of the form then
            self._open.file.close()
        return FormData(self.items)

    def close(self) -> None:
        """Close all files, because there will be no form."""
        for file in self._files:
            file.close()


async def parse_form(x: Exchange, bounds: FormBounds) -> FormData:
    """The form in the body of a request; it is the exchange's from now on.

    Parameters:
        x: the exchange.
        bounds: of the form.

    Returns:
        the parts, none under a content type that is no form's (then the body isn't read).

    Raises:
        HTTPException: 400 for a form that can't be read or is beyond `bounds`.
        ClientDisconnect: when the client goes away first.
    """
    known = x.request_object._form if x.request_object is not None else None
    if known is not None:
        adopt_form(x, known)
        return known
    try:
        parser = _parser(x, bounds)
        if not parser.is_form:
            form = x.request._form = FormData()
        else:
            form = await _read(x, _Form(parser))
    except FormRefused as exc:
        raise _refusal(x, exc) from None
    adopt_form(x, form)
    if x.request_object is not None:
        x.request_object._form = form
    return form


def parse_form_at_once(x: Exchange, bounds: FormBounds) -> FormData | None:
    """The same for a form that is here as a whole and whose files stay in memory; None for any other.

    Raises:
        HTTPException: as `parse_form`.
    """
    if not x.has_whole_body(MultiPartParser.spool_max_size):
        return None
    try:
        parser = _parser(x, bounds)
        if not parser.is_form:
            return None
        form = _Form(parser).of_whole(x.take_whole_body())
    except FormRefused as exc:
        raise _refusal(x, exc) from None
    adopt_form(x, form)
    return form


def _parser(x: Exchange, bounds: FormBounds) -> FormParser:
    return FormParser(x.header(b"content-type") or b"", bounds[0], bounds[1], bounds[2])


def _refusal(x: Exchange, exc: FormRefused) -> Exception:
    """What to raise for a form that is refused: Starlette tells only the clients of applications why."""
    return HTTPException(status_code=400, detail=str(exc)) if "app" in x.scope else exc


def urlencoded_form(content: bytes, bounds: FormBounds) -> FormData:
    """The parts of an urlencoded form that is known to be right."""
    parser = FormParser(b"application/x-www-form-urlencoded", bounds[0], bounds[1], bounds[2])
    items = [event for event in parser.feed(content) if isinstance(event, tuple) and len(event) == 2]
    return FormData([*items, *parser.finish()])


async def _read(x: Exchange, form: _Form) -> FormData:
    parser = form.parser
    try:
        if x.raw is not None:
            await form.take(parser.feed(x.raw))
        elif x.request_object is not None:
            async for chunk in x.request_object.stream():
                await form.take(parser.feed(chunk))
        else:
            await _receive(x, form)
        return form.finish()
    except BaseException:
        form.close()
        raise


async def _receive(x: Exchange, form: _Form) -> None:
    feed = form.parser.feed
    more = True
    while more:
        message = await x.next_message()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect()
        if message["type"] == "http.request":
            events = feed(message.get("body", b""))
            if events:
                await form.take(events)
            more = message.get("more_body", False)
