"""Starlette's GZip, natively: which of its responders the native module can stand for, and what that asks of Python."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import Message, Send

from .._native import Compression, gzip_bytes

_SETTINGS = {
    IdentityResponder: {"minimum_size", "exclude_content_types"},
    GZipResponder: {"minimum_size", "exclude_content_types", "compresslevel", "thread_minimum_size"},
}
"""What decides about a response, by class: a responder that has other settings decides by other rules."""
_PROGRESS = {
    "initial_message": {},
    "started": False,
    "content_encoding_set": False,
    "content_type_is_excluded": False,
    "partial_response": False,
    "_compressor": None,
}
"""What a responder notes while it works, and what that is at first."""


def compression_of(layer: Any, kind: type[IdentityResponder], attributes: dict[str, Any]) -> Compression | None:
    """What does natively what such responders do; None if that can't be said.

    Parameters:
        layer: the layer around the middleware.
        kind: the responders' class.
        attributes: theirs, before they have seen a message.
    """
    settings = {name: value for name, value in attributes.items() if name not in _PROGRESS}
    progress = {name: value for name, value in attributes.items() if name in _PROGRESS}
    minimum, excluded = settings.get("minimum_size"), settings.get("exclude_content_types", ())
    if settings.keys() != _SETTINGS.get(kind) or any(_PROGRESS[name] != value for name, value in progress.items()):
        return None
    if type(minimum) is not int or minimum < 0 or not _are_plain_types(excluded):
        return None
    level, in_thread = settings.get("compresslevel"), settings.get("thread_minimum_size", sys.maxsize)
    if type(in_thread) is not int or in_thread < 0 or (kind is GZipResponder and not _writes_the_same(level)):
        return None
    return Compression(layer, level, minimum, in_thread, list(excluded), partial(responding, kind, attributes))


def _are_plain_types(excluded: Any) -> bool:
    return isinstance(excluded, tuple) and all(type(one) is str and one.isascii() for one in excluded)


def _writes_the_same(level: Any) -> bool:
    """Whether zlib here and the one in the native module write the same bytes at this level."""
    if type(level) is not int or not 1 <= level <= 9:
        return False
    if level not in _SAME:
        sample = b"".join(b'{"id":%d,"name":"line %d"},' % (n, n % 7) for n in range(100))
        compressor = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        _SAME[level] = compressor.compress(sample) + compressor.flush() == gzip_bytes(sample, level)
    return _SAME[level]


_SAME: dict[int, bool] = {}


def responding(kind: type[IdentityResponder], attributes: dict[str, Any], send: Send) -> Send:
    """The ``send`` of one of Starlette's responders."""
    responder = kind.__new__(kind)
    vars(responder).update(attributes, app=None, send=send)
    return responder.send_with_compression


async def compress_in_thread(
    compress: Callable[[bytes, bool], bytes], send: Send, message: Message, body: bytes, more_body: bool
) -> None:
    """Compress a large piece of a body that has begun, in a thread of Starlette's choice, and send it.

    Parameters:
        compress: compresses it.
        send: where the message goes.
        message: it.
        body: its body.
        more_body: whether there will be more.
    """
    message["body"] = await in_thread(compress, body, more_body)
    await send(message)


async def in_thread(compress: Callable[[bytes, bool], bytes], body: bytes, more_body: bool) -> bytes:
    """Compress a piece of a body in a thread of Starlette's choice: ``compress(body, more_body)``."""
    responder = GZipResponder.__new__(GZipResponder)
    vars(responder).update(thread_minimum_size=0, _compress_body=compress)
    return await responder.apply_compression(body, more_body=more_body)
