"""Application-scoped dependencies: ``Depends(..., scope="app")``.

One is opened when the application starts, or at its first use where no lifespan runs, once however many requests ask
for it at the same time; and it is left when the application stops, the last one first. A plan has such a dependency as
a step without parameters that answers what is there already (`AppValue.get`), so requests with it are run natively.

What is opened belongs to an event loop: a pool of connections of a loop that has ended is of no use to another one.
A context is entered and left by a task of its own, because the task of the request that happened to come first has
ended long before, and cancel scopes and task groups can only be left by the task that has entered them. Such a task is
cancelled like all others when `asyncio.run` ends, so that contexts are left also where no lifespan runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any
from weakref import WeakValueDictionary

import anyio
from anyio.lowlevel import RunVar

from .. import params
from .._compat.asyncio import get_running_loop as running_loop
from .._scopes import on_asyncio
from .._threads import run_in_thread
from ..concurrency import opener_of
from ..declare.callables import Kind, kind_of
from ..declare.dependant import circular_dependency, get_parameterless_sub_dependant
from ..declare.overrides import Overrides, override_of
from ..dependencies.models import Dependant
from ..exceptions import DependencyScopeError

_NOWHERE: tuple[Any, Any] = (object(), None)
OWN = "_app_scope"
"""The attribute of an application that its `AppScope` is kept in."""


class AppValue:
    """An application-scoped dependency, with what overrides it and what it needs.

    Parameters:
        owner: the application's.
        call: what makes the value.
        feeds: keyword arguments that are values of the application, too.
    """

    def __init__(self, owner: AppScope, call: Callable[..., Any], feeds: tuple[tuple[str, AppValue], ...]) -> None:
        self.owner = owner
        self.call = call
        self.feeds = feeds
        self.here = _NOWHERE  # the event loop that has asked last, and the value there
        self.get = self._getter()

    def _getter(self) -> Callable[[], Awaitable[Any]]:
        async def get() -> Any:
            loop, value = self.here
            return value if loop is running_loop() else await self.owner.open(self)

        get.__name__ = getattr(self.call, "__name__", type(self.call).__name__)
        get.__qualname__ = getattr(self.call, "__qualname__", get.__name__)
        get.__module__ = self.call.__module__
        return get

    async def made(self, life: _Life) -> Any:
        """The value, made now; what has to be left later is noted in `life`."""
        arguments = {name: await value.get() for name, value in self.feeds}
        kind = kind_of(self.call)
        if kind is Kind.ASYNC:
            return await self.call(**arguments)
        if kind is Kind.SYNC:
            return await run_in_thread(self.call, **arguments)
        context = opener_of(self.call, is_asynchronous=kind is Kind.ASYNC_GENERATOR)(**arguments)
        return await life.enter(context)


class _Here:
    """A context that is left by whoever stops the application. For trio, where no task may outlive its parent."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._context = context
        self.following: _Here | None = None

    async def enter(self) -> Any:
        return await self._context.__aenter__()

    async def leave(self) -> None:
        await self._context.__aexit__(None, None, None)


class _InItsTask(_Here):
    """A context that a task of its own enters and leaves."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        super().__init__(context)
        self._entered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._entered.add_done_callback(
            lambda entered: entered.cancelled() or entered.exception()
        )  # seen, if by nobody
        self._leaving = asyncio.Event()
        self._left = asyncio.Event()

    async def enter(self) -> Any:
        """Enter the context. Who is cancelled meanwhile lets it be left again."""
        self._task = asyncio.create_task(self._keep())
        try:
            return await asyncio.shield(self._entered)
        except asyncio.CancelledError:
            self._leaving.set()
            raise

    async def leave(self) -> None:
        """Leave the context, and raise what that raises."""
        self._leaving.set()
        await self._task

    async def _keep(self) -> None:
        try:
            async with self._context as value:
                self._entered.set_result(value)
                with suppress(asyncio.CancelledError):  # the end of the event loop: a reason to leave, and no failure
                    await self._leaving.wait()
                if isinstance(self.following, _InItsTask):
                    await self.following._left.wait()
        except BaseException as exc:
            if self._entered.done():
                raise
            self._entered.set_exception(exc)
        finally:
            self._left.set()


class _Life:
    """What an application has opened in one event loop."""

    def __init__(self) -> None:
        self.values: dict[AppValue, Any] = {}
        self.locks: dict[AppValue, anyio.Lock] = {}
        self._contexts: list[_Here] = []

    async def enter(self, context: AbstractAsyncContextManager[Any]) -> Any:
        """Enter a context; it is left by `end`."""
        held = _InItsTask(context) if on_asyncio() else _Here(context)
        value = await held.enter()
        if self._contexts:
            self._contexts[-1].following = held
        self._contexts.append(held)
        return value

    async def end(self) -> None:
        """Leave all contexts, the last first; then raise what they raised."""
        for value in self.values:
            value.here = _NOWHERE
        self.values.clear()
        failures: list[Exception] = []
        while self._contexts:
            try:
                await self._contexts.pop().leave()
            except Exception as exc:
                failures.append(exc)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("Application-scoped dependencies could not be closed", failures)


class AppScope:
    """The application-scoped dependencies of one application."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[Any, AppValue] = WeakValueDictionary()
        self._lives: RunVar[_Life] = RunVar("ferrapi_app_scope")

    @staticmethod
    def of(app: Any) -> AppScope:
        """What belongs to `app`, an application or another object that overrides dependencies.

        Raises:
            DependencyScopeError: there is no application.
        """
        if app is None or not hasattr(app, "__dict__"):
            raise DependencyScopeError(
                'A dependency with scope "app" needs an application: include the router into one (`FastAPI`).'
            )
        found: AppScope | None = app.__dict__.get(OWN)
        if found is None:
            found = app.__dict__[OWN] = AppScope()
        return found

    def value(self, dependant: Dependant, overrides: Overrides, above: tuple[Any, ...] = ()) -> AppValue:
        """The value for a use of an application-scoped dependency.

        Parameters:
            dependant: the use.
            overrides: dependency overrides that apply, to it and to all that it needs.
            above: the overrides that need it.

        Raises:
            CircularDependencyError: for an override that needs what it overrides.
            DependencyScopeError: for an override that needs something of a request.
        """
        node = override_of(dependant, overrides)
        if node is not dependant:
            if node.call in above:
                raise circular_dependency([*above[above.index(node.call) :], node.call], "overrides")
            above = (*above, node.call)
        feeds = tuple((sub.name, self.value(sub, overrides, above)) for sub in node.dependencies if sub.name)
        call: Any = node.call  # a dependant below a route always has one
        key = (call, feeds)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = AppValue(self, call, feeds)
        return found

    async def open(self, value: AppValue) -> Any:
        """A value of this event loop, opened by the first who asks."""
        life = self._life()
        if value not in life.values:
            async with life.locks.setdefault(value, anyio.Lock()):
                if value not in life.values:
                    life.values[value] = await value.made(life)
        result = life.values[value]
        loop = running_loop()
        if loop is not None:
            value.here = (loop, result)
        return result

    def _life(self) -> _Life:
        life = self._lives.get(None)
        if life is None:
            life = _Life()
            self._lives.set(life)
        return life

    async def start(self, uses: Sequence[Dependant], overrides: Overrides) -> None:
        """Open what `uses` need. If one can't be opened, all are closed again."""
        try:
            for use in uses:
                await self.value(use, overrides).get()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close what is open in this event loop, the last first."""
        await self._life().end()


def leaf(dependant: Dependant, overrides: Overrides, provider: Any) -> Dependant:
    """What a plan has in the place of an application-scoped dependency: a callable without parameters.

    Parameters:
        dependant: the use.
        overrides: dependency overrides that apply.
        provider: the application.
    """
    value = AppScope.of(provider).value(dependant, overrides)
    return Dependant(call=value.get, name=dependant.name, path=dependant.path, scope="app")


async def value_of(app: Any, dependency: Callable[..., Any]) -> Any:
    """The value of an application-scoped dependency, for code outside of requests; opened if it isn't yet.

    Parameters:
        app: the application.
        dependency: the callable, which overrides may replace.

    Raises:
        DependencyScopeError: it needs something of a request.
    """
    use = get_parameterless_sub_dependant(depends=params.Depends(dependency, scope="app"), path="")
    overrides: Mapping[Any, Any] = app.dependency_overrides or {}
    return await AppScope.of(app).value(use, overrides).get()
