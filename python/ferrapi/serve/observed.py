"""Serving a request by way of the public functions and objects, while somebody has replaced some of them.

Tracing tools put functions of their own in the place of `solve_dependencies`, `run_endpoint_function`,
`serialize_response` and the like, or of methods of `Request` and `Response`, and expect them to be called for each
request. While any is replaced (`ferrapi._hooks`), routes are served here, and so is a request whose object has a say in
what it reads, which a route class may have made: the request and the response are objects, and each step is the call of
a public function, in the order and with the arguments that FastAPI is seen to have. What the functions do is done by
the plan, as ever.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .._disconnect import Request as LiveRequest
from .._hooks import FORMS, is_exchange_seen, is_reading_seen, replaced, touches_any, untouched, written
from ..declare.callables import Kind
from ..declare.limits import FORM_LIMITS
from ..declare.sent import MISSING
from ..exceptions import RequestValidationError
from .compiled import Compiled
from .exchange import Exchange
from .files import adopt_form, close_later
from .read import invalid_json, is_json, read_form, unreadable
from .tracer import SILENT, tell_unread

PLAN = "ferrapi.compiled"
"""The scope's key for the compiled route, whose plan `solve_dependencies` takes."""


_ALL_OF = ("anyio.to_thread", "ferrapi.concurrency", "ferrapi.exception_handlers")
"""The modules of which all functions serve requests: they begin calls in threads, or answer exceptions."""

_PER_ROUTE = frozenset({"get_request_handler", "request_response"})
"""The functions of `ferrapi.routing` that make what serves requests."""


def is_observed() -> bool:
    """Whether somebody wants to see how requests are served."""
    if is_exchange_seen() or any(replaced(module) for module in _ALL_OF):
        return True
    return is_reading_seen() or bool(replaced("ferrapi.routing").keys() - _PER_ROUTE)


_READING = ("body", "json", "form", "_get_form", "headers", "query_params", "cookies", "path_params")
"""What of a request object parameters and bodies are read by."""

_PARSING = ("form", "_get_form", "headers")
"""What of it a form is parsed by."""

_READ = frozenset({"_json", "_query_params", "_cookies"})
"""Where it keeps what it has read, which somebody may have put there."""


def _reads_itself(request: Request, *names: str) -> bool:
    kind = type(request)
    if kind is LiveRequest:
        return not (untouched(Request, *names) and vars(kind).keys().isdisjoint(names))
    return any(getattr(kind, name) is not written(Request, name) for name in names)


def is_asked(request: Request) -> bool:
    """Whether a request object has to be asked for what it says, which may be something else than its scope says.

    Its class reads it in a way of its own, or somebody has given it JSON, query parameters, cookies or headers.
    """
    return not _READ.isdisjoint(vars(request)) or _reads_itself(request, *_READING) or _has_other_headers(request)


def _has_other_headers(request: Request) -> bool:
    held = vars(request).get("_headers")
    return held is not None and held.raw is not request.scope["headers"]


class Observed:
    """A route that is served step by step.

    Parameters:
        compiled: its plan and responder.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled

    async def respond(self, request: Request) -> Response:
        """The response to a request. Exit stacks are those in the request's scope.

        Raises:
            RequestValidationError: when parameters or body are invalid.
            HTTPException: 400 for a body that can't be read.
        """
        compiled, functions, scope = self.compiled, sys.modules["ferrapi.routing"], request.scope
        kind = replaced("ferrapi.routing").get("Request")
        if kind is not None and not isinstance(request, kind):
            request = kind(scope, request.receive, request._send)
        x = Exchange.of(scope, request.receive, request._send)
        x.request_object = request
        tracer, call = x.tracer or SILENT, compiled.base.endpoint.call
        tracer.started(x)
        try:
            body = await self._body(x) if compiled.has_body else MISSING
        except RequestValidationError as exc:
            tell_unread(tracer, exc)
            raise
        tracer.read(None if body is MISSING else body)
        await close_later(x, scope.get("fastapi_inner_astack"))
        scope[PLAN] = compiled
        with tracer.step("dependencies", call):
            solved = await functions.solve_dependencies(
                request=request,
                dependant=compiled.route.dependant,
                body=body,
                dependency_overrides_provider=compiled.route.dependency_overrides_provider,
                async_exit_stack=scope.get("fastapi_inner_astack"),
                embed_body_fields=compiled.embed,
            )
            tracer.solved(solved.values, solved.errors)
        if solved.errors:
            tracer.refused(solved.errors)
            shown = None if body is MISSING else body
            raise functions.RequestValidationError(solved.errors, body=shown, endpoint_ctx=compiled.context())
        x.injected, x.background = solved.response, solved.background_tasks
        return await self._response(x, solved.values)

    async def _response(self, x: Exchange, values: dict[str, Any]) -> Response:
        """What the endpoint returns, as a response."""
        compiled, functions = self.compiled, sys.modules["ferrapi.routing"]
        responder, route, endpoint = compiled.responder, compiled.route, compiled.base.endpoint
        if compiled.streams:
            made = responder.maker(endpoint)(**values)
            return await responder.response(x, await made if endpoint.kind is Kind.ASYNC else made)
        tracer, is_coroutine = x.tracer or SILENT, endpoint.kind is Kind.ASYNC
        with tracer.step("endpoint", endpoint.call):
            result = await functions.run_endpoint_function(
                dependant=route.dependant, values=values, is_coroutine=is_coroutine
            )
        if isinstance(result, Response):
            return responder.finished(x, result)
        with tracer.step("serialization", endpoint.call):
            content = await functions.serialize_response(
                field=route.response_field,
                response_content=result,
                **responder.serializer.options,
                is_coroutine=is_coroutine,
                endpoint_ctx=compiled.context(),
                dump_json=responder.writes_model,
            )
        return responder.rendered(x, content)

    async def _body(self, x: Exchange) -> Any:
        """What the body says: fields of a form, a JSON value, bytes, or `MISSING`."""
        compiled, request = self.compiled, x.request
        has_other_headers = _has_other_headers(request)
        x.settle_headers()
        if compiled.is_form:
            is_seen = touches_any(FORMS) or replaced("starlette.requests")
            if is_seen or has_other_headers or _reads_itself(request, *_PARSING):
                return await self._form(x)
            return await read_form(x, compiled.bounds)
        try:
            body = await request.body()
            if not body:
                return MISSING
            declared = request.headers.get("content-type", "").encode("latin-1")
            if not is_json(declared, compiled.strict):
                return body
            return await request.json()
        except json.JSONDecodeError as exc:
            error = invalid_json(exc)
            error.tell_place(compiled.context())
            raise error from exc
        except HTTPException:
            raise
        except Exception as exc:
            raise unreadable(exc) from exc

    async def _form(self, x: Exchange) -> Any:
        """The parts of a form, as the request object parses it."""
        limits = self.compiled.bounds.inside(x.peek(FORM_LIMITS)).own
        try:
            adopt_form(x, await x.request.form(**limits))
        except HTTPException:
            raise
        except Exception as exc:
            raise unreadable(exc) from exc
        return x.form
