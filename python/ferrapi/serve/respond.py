"""Turning what an endpoint returned into a response.

The way is chosen when the plan is made: the default JSON response writes its bytes directly, any other class is asked
to render. What endpoints return at run time decides one thing only: a `Response` is sent as it is.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, cast

from pydantic_core import ValidationError
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Scope

from .._hooks import put_in_place, untouched, written
from .._native import encode_json, response_head_problem, to_jsonable
from .._threads import run_endpoint_in_thread, run_in_thread
from ..compile.boundary import ReplyPlan
from ..compile.plain import Shape, bare_schema, is_buildable, is_plain, shape_of
from ..compile.step import Step
from ..datastructures import DefaultPlaceholder
from ..declare.fields import prefix_locations
from ..declare.handler_facts import HandlerFacts
from ..declare.route import wants_events
from ..encoders import encode_other, jsonable_encoder
from ..exception_handlers import JSON
from ..exceptions import EndpointContext, InvalidResponseError, ResponseValidationError, ValidationException
from ..types import IncEx
from ..utils import ModelField, is_body_allowed_for_status_code
from .exchange import Exchange, is_plainly_sent
from .listening import close_stream, source_of


def sends_events(route: HandlerFacts) -> bool:
    """Whether the response class of `route` is that of server-sent events, whatever its endpoint is."""
    declared = route.response_class
    return wants_events(declared.value if isinstance(declared, DefaultPlaceholder) else declared)


def dump(value: Any) -> bytes:
    """`value` as JSON bytes by `jsonable_encoder`'s rules.

    Raises:
        ValueError: for a float that JSON can't carry, or a value that can't be encoded.
    """
    body = encode_json(value)
    return dump_other(value) if body is None else body


def dump_other(value: Any) -> bytes:
    """The same for a value that is not made of plain values alone."""
    plain = to_jsonable(value, encode_other)
    body = encode_json(plain, whole=True)
    if body is None:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=None, separators=(",", ":"))
        body = text.encode("utf-8")
    return body


def encode_plain(value: Any) -> Any:
    """What `jsonable_encoder` makes of a value, or what somebody has put in its place where responses are made."""
    return put_in_place("ferrapi.routing", "jsonable_encoder", jsonable_encoder)(value)


def response_refusal(errors: Any, content: Any, context: EndpointContext) -> ResponseValidationError:
    """What to raise for a response that doesn't fit its model."""
    kind = put_in_place("ferrapi.routing", "ResponseValidationError", ResponseValidationError)
    return kind(errors=errors, body=content, endpoint_ctx=context)


class Serializer:
    """Validates and filters by the response model; without one, encodes by `jsonable_encoder`'s rules.

    Parameters:
        field: the response model's field, if any.
        options: the ``response_model_*`` options.
        context: names the endpoint in errors; called when there is one.
        in_thread: whether user code in validators belongs in a worker thread (for sync endpoints).
        run: what somebody has put in the place of the function that calls in threads. It is called in any case.
    """

    def __init__(
        self, field: ModelField | None, options: dict[str, Any], context: Any, in_thread: bool, run: Any = None
    ) -> None:
        self.field = field
        self.run = run or run_in_thread
        self.options = options
        self.context = context
        self.is_defined = field is None or is_buildable(field)
        self.in_thread = (
            in_thread and field is not None and not (run is None and self.is_defined and is_plain(bare_schema(field)))
        )

    @cached_property
    def validate(self) -> Callable[..., Any]:
        """The validator."""
        field: ModelField = self.field  # type: ignore[assignment]  # looked at before
        return field._type_adapter.validator.validate_python

    @cached_property
    def shape(self) -> Shape | None:
        """What the response model is, if the native encoder gives the bytes that the serializer would; else None."""
        field: ModelField = self.field  # type: ignore[assignment]
        said = [value for name, value in self.options.items() if name != "by_alias"]  # there are no aliases
        is_usual = all(value is None or value is False for value in said)  # an empty `include` leaves everything out
        return shape_of(bare_schema(field)) if is_usual else None

    @property
    def is_plain_text(self) -> bool:
        """Whether the response model is text, and validating it runs no code of the user's."""
        field: ModelField = self.field  # type: ignore[assignment]
        return self.shape == "str" and is_plain(bare_schema(field))

    @cached_property
    def to_json(self) -> Callable[[Any], bytes]:
        """The serializer, with the options."""
        field: ModelField = self.field  # type: ignore[assignment]
        defaults = {"include": None, "exclude": None, "by_alias": None}
        options = {name: value for name, value in self.options.items() if value is not defaults.get(name, False)}
        return functools.partial(field._type_adapter.serializer.to_json, **options)

    async def validated(self, content: Any) -> Any:
        """`content` as the response model has it.

        Raises:
            ResponseValidationError: when it doesn't fit.
        """
        return await self.run(self.checked, content=content) if self.in_thread else self.checked(content)

    def checked(self, content: Any) -> Any:
        """`content` as the response model has it, validated in this thread. Raises as `validated` does."""
        try:
            return self.validate(content, from_attributes=True)
        except ValidationError as exc:
            refusal = self.refusal(content, exc)
        try:
            raise refusal
        finally:
            del refusal

    def refusal(self, content: Any, exc: ValidationError) -> ResponseValidationError:
        """What to raise for `content`, of which the validator says `exc`."""
        errors = prefix_locations(exc.errors(include_url=False), ("response",))
        return response_refusal(errors, content, self.context())

    def bytes_now(self, content: Any) -> bytes:
        """JSON bytes, made in this thread."""
        return dump(content) if self.field is None else self.to_json(self.checked(content))

    def data_now(self, content: Any) -> Any:
        """Plain data, made in this thread."""
        field = self.field
        if field is None:
            return encode_plain(content)
        return field.serialize(self.checked(content), **self.options)

    async def to_bytes(self, content: Any) -> bytes:
        """JSON bytes."""
        return dump(content) if self.field is None else self.to_json(await self.validated(content))

    async def to_data(self, content: Any) -> Any:
        """Plain data for a response class to render."""
        field = self.field
        if field is None:
            return encode_plain(content)
        return field.serialize(await self.validated(content), **self.options)


def serialization_options(
    *,
    include: IncEx | None,
    exclude: IncEx | None,
    by_alias: bool,
    exclude_unset: bool,
    exclude_defaults: bool,
    exclude_none: bool,
) -> dict[str, Any]:
    """The options as pydantic's serializer takes them."""
    return {
        "include": include,
        "exclude": exclude,
        "by_alias": by_alias,
        "exclude_unset": exclude_unset,
        "exclude_defaults": exclude_defaults,
        "exclude_none": exclude_none,
    }


class RoutePlace(dict[str, Any]):
    """Where the endpoint of a route is, before it is known how a request came to it.

    Parameters:
        path: the route's path template.
    """

    def __init__(self, path: str, facts: EndpointContext) -> None:
        super().__init__(facts)
        self.template = path


def endpoint_context(route: HandlerFacts) -> EndpointContext:
    """Where `route`'s endpoint is, for messages. Looked up at the first error and remembered: it reads the source."""
    known: RoutePlace | None = route.__dict__.get("_endpoint_context")
    if known is None:
        methods = " ".join(sorted(getattr(route, "methods", None) or ("WS",)))
        facts: EndpointContext = {**locate(route.endpoint), "path": f"{methods} {route.path_format}"}
        known = route.__dict__["_endpoint_context"] = RoutePlace(route.path_format, facts)
    return known  # type: ignore[return-value]  # a dictionary with these keys


def tell_way(exc: BaseException, scope: Scope) -> None:
    """Say in an error that names a route by which method the request came, and through which mounts."""
    if isinstance(exc, ValidationException) and isinstance(exc.endpoint_ctx, RoutePlace):
        way = f"{scope.get('method', 'WS')} {scope.get('root_path', '').rstrip('/')}{exc.endpoint_ctx.template}"
        exc.tell_place(cast("EndpointContext", {**exc.endpoint_ctx, "path": way}))


def locate(function: Any) -> EndpointContext:
    """The file, line and name of `function`; nothing if one of them can't be found.

    Of a function behind `functools.wraps` it is the file of the wrapper and the line of what it wraps, as in FastAPI.
    """
    import inspect

    try:
        file, line = inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
        name = function.__name__
    except (TypeError, OSError, AttributeError):
        return {}
    return {"file": file, "line": line, "function": name} if file else {}


_KNOWN = frozenset({JSONResponse, PlainTextResponse, HTMLResponse})
"""Response classes whose bytes are known without making a response, while nobody has changed them."""


def _text(content: Any) -> bytes | None:
    """The body of a text response; None for what the class has to look at itself."""
    return content.encode() if type(content) is str else None


def _short_way(declared: type[Response]) -> tuple[Callable[[Any], bytes | None], bytes] | None:
    """How to render plain data without making a `declared` response, and the content type; None if there is no way."""
    if declared not in _KNOWN or not untouched(declared) or declared.charset != "utf-8":
        return None
    if declared is JSONResponse:
        return functools.partial(encode_json, whole=True), JSON
    return _text, f"{declared.media_type}; charset=utf-8".encode("latin-1")


def _model_response(body: bytes, **arguments: Any) -> Response:
    """A response of what the response model wrote."""
    return Response(body, media_type="application/json", **arguments)


def _data_response(body: bytes, **arguments: Any) -> Response:
    """The response that `JSONResponse` makes of the data that is written in `body`."""
    response = _model_response(body, **arguments)
    response.__class__ = JSONResponse
    return response


class Responder:
    """How one route responds."""

    streams = False  # whether endpoints yield what is sent

    def __init__(self, route: HandlerFacts, in_thread: bool) -> None:
        self.status_code = route.status_code or None
        self.status = self.status_code or 200
        declared = route.response_class
        self.is_default = isinstance(declared, DefaultPlaceholder) and declared.value is JSONResponse
        self.response_class: type[Response] = declared.value if isinstance(declared, DefaultPlaceholder) else declared
        options = serialization_options(
            include=route.response_model_include,
            exclude=route.response_model_exclude,
            by_alias=route.response_model_by_alias,
            exclude_unset=route.response_model_exclude_unset,
            exclude_defaults=route.response_model_exclude_defaults,
            exclude_none=route.response_model_exclude_none,
        )
        self.serializer = Serializer(route.response_field, options, lambda: endpoint_context(route), in_thread)
        short = (dump, JSON) if self.is_default else _short_way(self.response_class)
        self.is_short = short is not None and is_body_allowed_for_status_code(self.status_code)
        self.immediate = self.is_short and not self.serializer.in_thread
        self.render, self.content_type = short or (dump, JSON)
        self.is_text = self.render is _text
        self.run_in_thread = run_in_thread if route.response_field is None else run_endpoint_in_thread

    def reply_plan(self) -> ReplyPlan:
        """How the endpoint's result becomes a response."""
        plan: ReplyPlan = {
            "kind": "other",
            "status": self.status,
            "content_type": self.content_type,
            "response": Response,
            "response_call": written(Response, "__call__"),
            "stream": StreamingResponse if untouched(StreamingResponse) else None,
            "in_thread": self.serializer.in_thread,
        }
        serializer = self.serializer
        if not self.is_short or not serializer.is_defined:
            return plan
        if not self.is_default:
            is_text = self.is_text and (serializer.field is None or serializer.is_plain_text)
            validate = None if serializer.field is None else serializer.validate
            return {**plan, "kind": "text", "validate": validate} if is_text else plan
        if serializer.field is None:
            return {**plan, "kind": "data"}
        return {
            **plan,
            "kind": "model",
            "validate": serializer.validate,
            "to_json": serializer.to_json,
            "shape": serializer.shape,
        }

    def maker(self, endpoint: Step) -> Callable[..., Any]:
        """What makes the generator of an endpoint that is not to be awaited."""
        return endpoint.call

    def reply_now(self, x: Exchange, result: Any) -> Response | bytes | None:
        """The reply, if it can be made here and now; just its body if the head has nothing but length and type."""
        if not self.immediate or x.injected is not None or isinstance(result, Response):
            return None
        if self.is_default:
            return self.serializer.bytes_now(result)
        content = self.serializer.data_now(result)
        body = self.render(content)
        return self.made(x, content) if body is None else body

    async def respond(self, x: Exchange, result: Any) -> Response | bytes:
        """The whole response to `result`, or just the body if the head has nothing but length and type."""
        reply = self.reply_now(x, result)
        return await self.response(x, result) if reply is None else reply

    def reply(self, x: Exchange, result: Any) -> Awaitable[None] | None:
        """Send the reply to `result`; what to wait for, if it isn't done yet."""
        reply = self.reply_now(x, result)
        if reply.__class__ is not bytes or x.background is not None:
            return self._reply_later(x, result, reply)
        return x.send_body(self.status, self.content_type, reply)

    async def _reply_later(self, x: Exchange, result: Any, reply: Response | bytes | None) -> None:
        await self.send(x, await self.response(x, result) if reply is None else reply)

    async def response(self, x: Exchange, result: Any) -> Response:
        """A response object for `result`."""
        if isinstance(result, Response):
            return self.finished(x, result)
        if self.is_default:
            body = await self.serializer.to_bytes(result)
            return self.made(x, body, _model_response if self.writes_model else _data_response)
        return self.made(x, await self.serializer.to_data(result), self.response_class)

    @property
    def writes_model(self) -> bool:
        """Whether the response model writes the bytes, rather than a response class."""
        return self.is_default and self.serializer.field is not None

    def response_of(self, x: Exchange, body: bytes) -> Response:
        """A response object for JSON that was written natively."""
        return self.made(x, body, _model_response if self.writes_model else _data_response)

    def rendered(self, x: Exchange, content: Any) -> Response:
        """A response object from what the response model wrote, or from data for the response class to render."""
        return self.made(x, content, _model_response if self.writes_model else self.response_class)

    def made(self, x: Exchange, content: Any, make: Callable[..., Response] | None = None) -> Response:
        """A response with `content`, and with what was set on the injected one."""
        injected = x.injected
        status = self.status_code
        if injected is not None and injected.status_code is not None:
            status = injected.status_code
        arguments: dict[str, Any] = {"background": x.background}
        if status is not None:
            arguments["status_code"] = status
        response = (make or self.response_class)(content, **arguments)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        if injected is not None or not isinstance(vars(response).get("raw_headers"), list):
            response.headers.raw.extend(() if injected is None else injected.headers.raw)
        return response

    @staticmethod
    def finished(x: Exchange, response: Response) -> Response:
        """A response that the endpoint made itself."""
        if response.background is None:
            response.background = x.background
        return response

    async def send(self, x: Exchange, reply: Response | bytes) -> None:
        """Send `reply`, then run its background tasks."""
        if isinstance(reply, bytes):
            pending = x.send_body(self.status, self.content_type, reply)
            if pending is not None:
                await pending
            if x.background is not None:
                await x.background()
            x.replied = True
        else:
            await send_response(x, reply)


class PassingResponder(Responder):
    """How a route responds whose handler makes the response."""

    def reply_plan(self) -> ReplyPlan:
        """How a response is sent."""
        return {**super().reply_plan(), "kind": "other"}

    def reply_now(self, x: Exchange, result: Any) -> None:
        """Nothing is a reply but what the handler returns."""

    async def response(self, x: Exchange, result: Any) -> Any:
        """What the handler returned."""
        return result

    async def send(self, x: Exchange, reply: Any) -> None:
        """Send that."""
        await send_any(x, reply)


async def send_response(x: Exchange, response: Response) -> None:
    """Send a response object, whose head is checked first: user code may have put anything into it.

    One whose class sends it in a way of its own may have none.

    Raises:
        InvalidResponseError: for a status or header that HTTP can't carry.
    """
    if is_plainly_sent(response) or (hasattr(response, "status_code") and hasattr(response, "raw_headers")):
        problem = response_head_problem(response.status_code, response.raw_headers)
        if problem is not None:
            raise InvalidResponseError(problem)
    stream = getattr(response, "body_iterator", None)
    if stream is None:
        await x.send_response(response)
    else:
        source = source_of(stream)
        try:
            await x.send_response(response)
        finally:
            await close_stream(stream, source)
    x.replied = True


async def send_any(x: Exchange, response: Any) -> None:
    """Send what a handler of a route or of an exception has answered, which may be any ASGI application."""
    if isinstance(response, Response):
        await send_response(x, response)
    else:
        await x.run(response)
        x.replied = True
