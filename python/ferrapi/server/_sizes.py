"""How much of a request is held."""

MAX_HEAD = 65_536
"""Bytes of a request head; a longer one is answered with 431."""
MAX_BODY = 65_536
"""Bytes of a body that is collected for a route before it is served; a longer one comes to the application in pieces,
and the client is held back while so much of it waits."""
