"""`APIRoute`: an endpoint at a path, with everything that was declared about it.

Nothing of the engine is built here; a route gets its plan at its first request (`ferrapi.serve.handler`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import Enum
from typing import Any, ForwardRef

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from .. import params
from .._hooks import is_own, watch
from ..datastructures import Default, DefaultPlaceholder
from ..declare.foreign import own, refuse_routes
from ..declare.limits import FormLimits
from ..declare.route import EFFECTIVE, Declared
from ..exceptions import RouteError
from ..serve.handler import app_of, engine_handler
from ..types import IncEx
from ..utils import generate_unique_id
from ._effective import effective_of


class APIRoute(Declared, Route):
    """An endpoint at a path.

    Parameters are those of the verb decorators (`FastAPI.get`), given once and explicitly here.

    Raises:
        RouteError: for a declaration that contradicts itself.
        ParameterError: for a parameter of the endpoint that does.
        FastAPIError: for a type without a pydantic schema.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = Default(None),
        status_code: int | None = None,
        tags: list[str | Enum] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        summary: str | None = None,
        description: str | None = None,
        response_description: str = "Successful Response",
        responses: dict[int | str, dict[str, Any]] | None = None,
        deprecated: bool | None = None,
        name: str | None = None,
        methods: set[str] | list[str] | None = None,
        operation_id: str | None = None,
        response_model_include: IncEx | None = None,
        response_model_exclude: IncEx | None = None,
        response_model_by_alias: bool = True,
        response_model_exclude_unset: bool = False,
        response_model_exclude_defaults: bool = False,
        response_model_exclude_none: bool = False,
        include_in_schema: bool = True,
        response_class: type[Response] | DefaultPlaceholder = Default(JSONResponse),
        dependency_overrides_provider: Any = None,
        callbacks: list[BaseRoute] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        generate_unique_id_function: Callable[[APIRoute], str] | DefaultPlaceholder = Default(generate_unique_id),
        strict_content_type: bool | DefaultPlaceholder = Default(True),
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        dependencies_before_body: bool | None = None,
        cancel_on_disconnect: bool | None = None,
    ) -> None:
        refuse_routes(callbacks or (), "callbacks=")
        if methods is not None and not methods:
            raise RouteError("A route needs a method: name one, or leave `methods` out for GET")
        self._declare(
            path,
            endpoint,
            response_model=own(response_model),
            status_code=status_code,
            tags=tags,
            dependencies=dependencies,
            summary=summary,
            description=description,
            response_description=response_description,
            responses=responses,
            deprecated=deprecated,
            name=name,
            methods=methods,
            operation_id=operation_id,
            response_model_include=response_model_include,
            response_model_exclude=response_model_exclude,
            response_model_by_alias=response_model_by_alias,
            response_model_exclude_unset=response_model_exclude_unset,
            response_model_exclude_defaults=response_model_exclude_defaults,
            response_model_exclude_none=response_model_exclude_none,
            include_in_schema=include_in_schema,
            response_class=own(response_class),
            dependency_overrides_provider=dependency_overrides_provider,
            callbacks=callbacks,
            openapi_extra=openapi_extra,
            generate_unique_id_function=own(generate_unique_id_function),
            strict_content_type=own(strict_content_type),
            max_body_size=max_body_size,
            form_limits=form_limits,
            dependencies_before_body=dependencies_before_body,
            cancel_on_disconnect=cancel_on_disconnect,
        )
        self.app = app_of(self)

    def _has_own_handler(self) -> bool:
        """Whether its `get_route_handler` is not the one of this class."""
        return not is_own(type(self), APIRoute, "get_route_handler") or "get_route_handler" in self.__dict__

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route answers `scope`, and what it adds to the scope (Starlette's contract)."""
        effective = EFFECTIVE.get()
        if effective is not None and effective.original_route is self:
            match, child_scope = effective.matches(scope)
        else:
            match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that matched. An original route answers for the place where it was matched."""
        effective = effective_of(scope)
        placed: Any = effective if effective is not None and effective.original_route is self else self
        if placed is self:
            await super().handle(scope, receive, send)
        elif not placed.methods or scope["method"] in placed.methods:
            await placed.app(scope, receive, send)
        elif "app" in scope:
            raise wrong_method(placed.methods)
        else:
            await refusal(wrong_method(placed.methods))(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that turns a request into a response. Override it to wrap what happens to this route's requests.

        Called once for each place where the route is included.
        """
        effective = EFFECTIVE.get()
        return engine_handler(effective if effective is not None and effective.original_route is self else self)


def wrong_method(methods: Iterable[str]) -> HTTPException:
    """What is raised for a request with a method that a route doesn't have, as Starlette's routes raise it."""
    return HTTPException(status_code=405, headers={"Allow": ", ".join(methods)})


def refusal(exc: HTTPException) -> Response:
    """How that is answered outside of an application."""
    return PlainTextResponse("Method Not Allowed", status_code=exc.status_code, headers=exc.headers)


# The class tells what its instances have, as FastAPI's does.
APIRoute.__annotations__ = {
    name: ForwardRef(text, module=Declared.__module__) for name, text in Declared.__annotations__.items()
}
watch(APIRoute)
