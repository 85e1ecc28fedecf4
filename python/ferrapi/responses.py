"""Response classes: Starlette's, the event stream, and two older JSON ones that need a package of their own."""

from typing import TYPE_CHECKING, Any

from starlette.responses import FileResponse as FileResponse
from starlette.responses import HTMLResponse as HTMLResponse
from starlette.responses import JSONResponse as JSONResponse
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.responses import Response as Response
from starlette.responses import StreamingResponse as StreamingResponse
from typing_extensions import deprecated

from ._names import names_of
from .exceptions import FastAPIDeprecationWarning, UsageError
from .sse import EventSourceResponse as EventSourceResponse

__all__ = [
    "EventSourceResponse",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "ORJSONResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
    "UJSONResponse",
]

_DEPRECATED = (
    "{} is deprecated, FastAPI now serializes data directly to JSON bytes via Pydantic when a return type or response "
    "model is set, which is faster and doesn't need a custom response class. Read more in the FastAPI docs: "
    "https://fastapi.tiangolo.com/advanced/custom-response/#orjson-or-response-model and "
    "https://fastapi.tiangolo.com/tutorial/response-model/"
)
"""FastAPI's text: applications filter the warning by it, and their tests match it."""


@deprecated(
    _DEPRECATED.format("UJSONResponse"),
    category=FastAPIDeprecationWarning,
)
class UJSONResponse(JSONResponse):
    """JSON written by the `ujson` package, which has to be installed."""

    def render(self, content: Any) -> bytes:
        """Write `content` as JSON.

        Raises:
            UsageError: `ujson` is not installed.
        """
        try:
            import ujson
        except ImportError as error:
            raise UsageError("ujson must be installed to use UJSONResponse") from error
        return bytes(ujson.dumps(content, ensure_ascii=False), "utf-8")


@deprecated(
    _DEPRECATED.format("ORJSONResponse"),
    category=FastAPIDeprecationWarning,
)
class ORJSONResponse(JSONResponse):
    """JSON written by the `orjson` package, which has to be installed. Keys may be numbers; numpy is understood."""

    def render(self, content: Any) -> bytes:
        """Write `content` as JSON.

        Raises:
            UsageError: `orjson` is not installed.
        """
        try:
            import orjson
        except ImportError as error:
            raise UsageError("orjson must be installed to use ORJSONResponse") from error
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)


if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
