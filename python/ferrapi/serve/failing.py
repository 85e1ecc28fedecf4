"""What becomes of exceptions: the answer of the handler that is registered for one, or the exception again.

Whoever raises an exception that it was given, here and elsewhere, deletes its own name for it at its end. The traceback
of the exception refers to the function's frame, and that to the exception as long as it has the name: a request and all
that is in it would stay until the garbage collector comes to it.
"""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from .._compat.starlette import gives_coroutine
from .._native import LimitExceeded
from .._threads import run_later_in_thread
from ..exception_handlers import handler_for, short_answer
from ..exceptions import FastAPIError
from .exchange import Exchange, is_plainly_sent
from .respond import send_any, tell_way


def unanswered() -> FastAPIError:
    """The complaint of a request that got no response because a dependency swallowed the exception that kept it."""
    return FastAPIError(
        "Response not awaited. There's a high chance that the application code is raising an exception and a "
        "dependency with yield has a block with a bare except, or a block with except Exception, and is not "
        "raising the exception again. Read more about it in the docs: "
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#dependencies-with-yield-and-except"
    )


def no_response() -> Exception:
    """What FastAPI says where a dependency that ends before the response swallowed the exception that kept it."""
    error = UnboundLocalError("cannot access local variable 'response' where it is not associated with a value")
    error.name = "response"
    return error


async def handle_exception(x: Exchange, exc: Exception, handlers: Any = None) -> None:
    """Answer with the handler that is registered for `exc`; raise it again without one.

    Parameters:
        x: the request.
        exc: the exception.
        handlers: by class and by status code, if they aren't those that the request has come to last.
    """
    try:
        if isinstance(exc, LimitExceeded):
            exc = HTTPException(status_code=400, detail=str(exc))
        handler = handler_for(x.handlers if handlers is None else handlers, exc)
        answer = short_answer(handler) if handler is not None else None
        if answer is None:
            tell_way(exc, x.scope)
        if handler is None:
            raise exc
        if x.started:
            raise RuntimeError("Caught handled exception, but response already started.") from exc
        ready = None if answer is None or not x.is_http else answer(exc)
        if ready is not None:
            pending = x.send_body(*ready)
            if pending is not None:
                await pending
            x.replied = True
        else:
            response = await ask_handler(handler, None if answer is not None else x.connection, exc)
            if response is not None:
                await send_any(x, response)
        exc.__traceback__ = None
    finally:
        del exc


async def answer_of(x: Exchange, handler: Any, exc: Exception) -> Response | None:
    """What a handler answers to an exception; None if that has been sent, or is nothing.

    A response that waits for anything, or that something runs behind, is sent while the exception is being handled.
    """
    tell_way(exc, x.scope)
    try:
        raise exc  # handlers may look at the exception that is being handled
    except Exception:
        response: Any = await ask_handler(handler, x.connection, exc)
        if response is not None and not _is_whole(response):
            await send_any(x, response)
            response = None
        exc.__traceback__ = None
        return response  # type: ignore[no-any-return]
    finally:
        del exc


def _is_whole(response: Any) -> bool:
    """Whether sending a response is no more than that."""
    if not is_plainly_sent(response):
        return False
    return type(getattr(response, "body", None)) is bytes and response.background is None


async def ask_handler(handler: Any, connection: Any, exc: Exception) -> Any:
    """What an exception handler answers, in a worker thread if it is synchronous."""
    try:
        if gives_coroutine(handler):
            return await handler(connection, exc)
        return await run_later_in_thread(handler, connection, exc)
    finally:
        del exc
