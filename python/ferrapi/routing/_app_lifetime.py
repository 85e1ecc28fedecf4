"""When what is application-scoped is opened and closed: inside of the lifespan of the application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.routing import Host, Mount
from starlette.types import Message, Receive, Scope, Send

from .. import params
from ..compile.app_scope import OWN, AppScope
from ..declare.dependant import get_parameterless_sub_dependant
from ..declare.include import Includable
from ..dependencies.models import Dependant, in_order
from ._contexts import IncludedRouter, routers_below


def while_it_lives(scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """`receive` and `send` of a lifespan, which open what is application-scoped at its start, and close it at its end.

    That is inside of the application's own lifespan, whose state the dependencies may look at.
    """
    app = scope.get("app")
    if not params.Depends.has_app_scope or not hasattr(app, "router"):
        return receive, send

    async def sending(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            await _start(app)
        await send(message)

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await _stop(app)
        return message

    return receiving, sending


async def _start(app: Any) -> None:
    started: list[Any] = []
    try:
        for one in applications(app):
            uses = [use for use in _declared(one.router) if use.scope == "app"]
            if uses:
                await AppScope.of(one).start(uses, one.dependency_overrides or {})
                started.append(one)
    except BaseException:
        for one in reversed(started):
            await AppScope.of(one).stop()
        raise


async def _stop(app: Any) -> None:
    for one in reversed(applications(app)):
        if OWN in one.__dict__:
            await AppScope.of(one).stop()


def applications(app: Any) -> list[Any]:
    """`app` and the applications of ferrapi's that are mounted below it, each once."""
    found: list[Any] = []
    pending = [app]
    while pending:
        current = pending.pop()
        if any(current is one for one in found):
            continue
        found.append(current)
        routes = [route for router in routers_below(current.router) for route in list(router.routes)]
        mounted = [_inside(route.app) for route in routes if isinstance(route, (Mount, Host))]
        pending.extend(one for one in reversed(mounted) if one is not None)
    return found


def _inside(app: Any) -> Any:
    """The application behind whatever middleware there is around it; None if it is not one of ferrapi's."""
    for _ in range(100):  # layers; who has more of them is a cycle
        if app is None or (hasattr(app, "router") and hasattr(app, "dependency_overrides")):
            return app
        app = getattr(app, "app", None)
    return None


def _declared(router: Includable) -> Iterator[Dependant]:
    """All uses of dependencies below a router, in the order of declaration."""
    for current in routers_below(router):
        for route in list(current.routes):
            if isinstance(route, IncludedRouter):
                yield from _of_all(route.include_context.dependencies)
                continue
            dependant = getattr(route, "dependant", None)
            if dependant is not None:
                yield from in_order(dependant)
        if current._frontends is not None:
            yield from _of_all(current._frontends.dependencies)


def _of_all(dependencies: Sequence[params.Depends]) -> Iterator[Dependant]:
    for depends in dependencies:
        yield from in_order(get_parameterless_sub_dependant(depends=depends, path=""))
