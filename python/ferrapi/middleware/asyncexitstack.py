"""An exit stack per request, for what has to be closed after everything below has finished."""

from contextlib import AsyncExitStack

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["AsyncExitStackMiddleware"]


class AsyncExitStackMiddleware:
    """Puts an open `AsyncExitStack` into the scope and closes it when the application below is done.

    Args:
        app: The application to run.
        context_name: The scope's key for the stack.
    """

    def __init__(self, app: ASGIApp, context_name: str = "fastapi_middleware_astack") -> None:
        self.app = app
        self.context_name = context_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; an exception goes through the stack's callbacks on its way up."""
        async with AsyncExitStack() as stack:
            scope[self.context_name] = stack
            await self.app(scope, receive, send)
