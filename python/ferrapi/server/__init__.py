"""The HTTP/1.1 door: a protocol for uvicorn that serves ferrapi applications without ASGI in between.

``uvicorn main:app --http ferrapi.server:HttpProtocol`` (``ferrapi run`` chooses it). The protocol *is* uvicorn's own
(`HttpToolsProtocol`), and everything unusual is left to it: upgrades, chunked or large bodies, ``Expect``, HTTP/1.0,
paths without a route, applications with middleware. What is left, the common request of an ordinary application, is
read natively and goes straight into the engine.

What the door relies on in uvicorn is private there, so it is used only with the versions that it was tested with. With
any other `HttpProtocol` is uvicorn's class, and the log says so.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import uvicorn

from .._uvicorn import NEWEST, OLDEST, is_known
from ._limits import MAX_BODY, MAX_HEAD

__all__ = ["MAX_BODY", "MAX_HEAD", "NEWEST", "OLDEST", "HttpProtocol", "is_known"]

if TYPE_CHECKING or is_known(uvicorn.__version__):
    from ._protocol import HttpProtocol
else:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol

    logging.getLogger("uvicorn.error").warning(
        "ferrapi's HTTP protocol does not know uvicorn %s; uvicorn's own serves instead.", uvicorn.__version__
    )
