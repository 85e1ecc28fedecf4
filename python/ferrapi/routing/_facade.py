"""Adapters under the names of `fastapi.routing`, for third parties that call or replace them.

They are thin: the plan runs what they run. Nothing here is a second engine.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from .._compat.starlette import is_async_callable
from .._hooks import replaced
from ..datastructures import Default, DefaultPlaceholder
from ..declare.body import body_encoding, flat_body_params
from ..declare.fields import ModelField
from ..declare.handler_facts import HandlerFacts
from ..declare.limits import FormLimits
from ..dependencies.models import Dependant
from ..exceptions import EndpointContext
from ..serve.exchange import Exchange
from ..serve.handler import Engine
from ..serve.respond import Serializer, serialization_options
from ..types import IncEx
from ._websocket import WebSocketApp


async def serialize_response(
    *,
    field: ModelField | None = None,
    response_content: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    is_coroutine: bool = True,
    endpoint_ctx: EndpointContext | None = None,
    dump_json: bool = False,
) -> Any:
    """`response_content` validated by `field` and filtered, as plain data or (``dump_json``) as JSON bytes.

    Raises:
        ResponseValidationError: when the content doesn't fit the field.
    """
    options = serialization_options(
        include=include,
        exclude=exclude,
        by_alias=by_alias,
        exclude_unset=exclude_unset,
        exclude_defaults=exclude_defaults,
        exclude_none=exclude_none,
    )
    in_thread = replaced("ferrapi.routing").get("run_in_threadpool")
    serializer = Serializer(field, options, lambda: endpoint_ctx, not is_coroutine, in_thread)
    if dump_json:
        return await serializer.to_bytes(response_content)
    return await serializer.to_data(response_content)


async def run_endpoint_function(*, dependant: Dependant, values: dict[str, Any], is_coroutine: bool) -> Any:
    """Call the endpoint of `dependant`: awaited, or in a worker thread."""
    if dependant.call is None:
        raise ValueError("The dependant has no callable to run")
    if is_coroutine:
        return await dependant.call(**values)
    return await sys.modules["ferrapi.routing"].run_in_threadpool(dependant.call, **values)


def get_request_handler(
    dependant: Dependant,
    body_field: ModelField | None = None,
    status_code: int | None = None,
    response_class: type[Response] | DefaultPlaceholder = Default(JSONResponse),
    response_field: ModelField | None = None,
    response_model_include: IncEx | None = None,
    response_model_exclude: IncEx | None = None,
    response_model_by_alias: bool = True,
    response_model_exclude_unset: bool = False,
    response_model_exclude_defaults: bool = False,
    response_model_exclude_none: bool = False,
    dependency_overrides_provider: Any | None = None,
    embed_body_fields: bool = False,
    strict_content_type: bool | DefaultPlaceholder = Default(True),
    stream_item_field: ModelField | None = None,
    is_json_stream: bool = False,
    form_limits: FormLimits | None = None,
) -> Callable[[Request], Awaitable[Response]]:
    """The function from a request to a response for `dependant`; the other parameters are `APIRoute`'s attributes."""
    facts = HandlerFacts(
        dependant=dependant,
        endpoint=dependant.call,
        path_format=dependant.path or "",
        status_code=status_code,
        response_class=response_class,
        response_field=response_field,
        response_model_include=response_model_include,
        response_model_exclude=response_model_exclude,
        response_model_by_alias=response_model_by_alias,
        response_model_exclude_unset=response_model_exclude_unset,
        response_model_exclude_defaults=response_model_exclude_defaults,
        response_model_exclude_none=response_model_exclude_none,
        dependency_overrides_provider=dependency_overrides_provider,
        _embed_body_fields=embed_body_fields,
        strict_content_type=strict_content_type,
        stream_item_field=stream_item_field,
        is_json_stream=is_json_stream,
        form_limits=form_limits,
        _body_encoding=body_encoding(flat_body_params(dependant), embed_body_fields),
    )
    return Engine(facts).respond_to_request


def get_websocket_app(
    dependant: Dependant, dependency_overrides_provider: Any | None = None, embed_body_fields: bool = False
) -> Callable[[WebSocket], Awaitable[Any]]:
    """The coroutine function that serves a WebSocket for `dependant`."""
    app = WebSocketApp(dependant, dependency_overrides_provider, embed_body_fields)

    async def serve(websocket: WebSocket) -> None:
        x = Exchange.of(websocket.scope, websocket._receive, websocket._send)
        x.__dict__["websocket"] = websocket
        x.request_stack = websocket.scope.get("fastapi_inner_astack")
        x.function_stack = websocket.scope.get("fastapi_function_astack")
        await app._run(x)

    return serve


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """An ASGI application from a function of a request, with the exit stacks that route handlers expect."""
    in_thread: Any = functools.partial(run_in_threadpool, func)  # type: ignore[call-arg]  # the request comes later
    handler: Any = func if is_async_callable(func) else in_thread
    app = Engine(None)
    app._handler = handler

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return serve
