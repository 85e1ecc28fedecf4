"""How much of a request the door reads itself."""

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

MAX_HEAD = 65_536
"""Bytes of a request head; a longer one is answered with 431."""
MAX_BODY: int = HIGH_WATER_LIMIT
"""Bytes of a body that is collected here; uvicorn takes longer ones and holds the client back."""
