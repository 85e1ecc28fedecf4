"""A server protocol for uvicorn: HTTP/1.1, for applications of any kind, and natively for ferrapi's.

``uvicorn main:app --http ferrapi.server:HttpProtocol`` (``ferrapi run`` chooses it). Requests are read and responses
are written natively. The common request of a ferrapi application goes straight into the engine; every other
application, and every other path, is called by way of ASGI. WebSockets are handed to uvicorn's class for them.

Of uvicorn nothing is used but what it says to any protocol: its `Config`, the state of its server, and the calls that
`asyncio` and the server make.
"""

from __future__ import annotations

from ._protocol import HttpProtocol
from ._sizes import MAX_BODY, MAX_HEAD

__all__ = ["MAX_BODY", "MAX_HEAD", "HttpProtocol"]
