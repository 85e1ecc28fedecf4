"""Closing the files of a form, and the exit stack that FastAPI closes them with: `scope["fastapi_middleware_astack"]`.

Observed on FastAPI 0.165.0: the stack is open around the router, and is left when the response is sent, background
tasks have run and dependencies have come to their end. Whoever is handed the scope may push callbacks on it. Here there
is one only where somebody can be expected to look for it: inside of middleware, around a router or a route handler that
isn't ferrapi's own, and for a request object that is made after a form was read. Elsewhere it would be work per request
that nobody sees.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Protocol

from starlette.datastructures import FormData, UploadFile
from starlette.types import Scope

STACK_KEY = "fastapi_middleware_astack"
"""The scope's key for the stack."""


class HasForm(Protocol):
    """What of an exchange concerns files."""

    form: FormData | None
    closes_form: bool
    file_stack: AsyncExitStack | None

    @property
    def scope(self) -> Scope:
        """The request's."""
        ...

    def peek(self, key: str) -> Any:
        """A value of the scope, without having it made."""
        ...


class FileStack(AsyncExitStack):
    """The exit stack around a request. It is not left while there is nothing on it."""


async def leave_stack(stack: FileStack, exc: BaseException | None) -> bool:
    """Leave the stack around a request that is over; tell whether it has swallowed what the request has raised."""
    if exc is None:
        await stack.aclose()
        return False
    try:
        raise exc
    except BaseException:
        return bool(await stack.__aexit__(type(exc), exc, exc.__traceback__))
    finally:
        del exc


async def close_form(form: FormData) -> None:
    """Close the files of a form, even if the task is cancelled meanwhile."""
    try:
        await form.close()
    except BaseException:
        for _, value in form.multi_items():
            if isinstance(value, UploadFile):
                value.file.close()
        raise


def adopt_form(x: HasForm, form: FormData) -> None:
    """Make a form that of a request. The stack in the scope closes it, if there is one already."""
    x.form = form
    stack = x.peek(STACK_KEY)
    if isinstance(stack, AsyncExitStack):
        stack.push_async_callback(close_form, form)
        x.closes_form = False


def offer_stack(x: HasForm, form: FormData) -> None:
    """Put a stack that closes the form into the scope of a request whose code is about to see that."""
    if x.closes_form:
        stack = x.file_stack = x.scope[STACK_KEY] = AsyncExitStack()
        stack.push_async_callback(close_form, form)


_CLOSE_FILE = UploadFile.close
_CLOSE_FORM = FormData.close


def close_in_memory(x: HasForm) -> bool:
    """Do what `close_files` does, if nothing has to be waited for; tell whether it is done."""
    form = x.form
    if x.file_stack is not None:
        return False
    if form is None or not x.closes_form:
        return True
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if type(form).close is not _CLOSE_FORM or not all(type(file).close is _CLOSE_FILE for file in files):
        return False
    if not all(file._in_memory for file in files):
        return False
    for file in files:
        file.file.close()
    return True


async def close_files(x: HasForm) -> None:
    """Close the form of a request that is over, and what was pushed on the stack that was offered with it."""
    if x.file_stack is not None:
        x.scope.pop(STACK_KEY, None)
        await x.file_stack.aclose()
    elif x.form is not None and x.closes_form:
        await close_form(x.form)


async def close_later(x: HasForm, stack: Any) -> None:
    """Let `stack` close the form of a request, if it is an exit stack and there is no other."""
    if x.form is None or not x.closes_form:
        return
    if isinstance(stack, AsyncExitStack):
        stack.push_async_callback(close_form, x.form)
    else:
        await close_form(x.form)
