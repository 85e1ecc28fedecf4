"""Applications in which a dependency overrides another one while the request runs."""

from typing import Any

from support.asgi import Ask
from support.compare import Make
from support.frameworks import Framework

from .program_shapes import KINDS, Log, add, dependency, parameter

TARGETS = (*KINDS, "function generator", "with a child", "with parameters", "bearer", "key")
REPLACEMENTS = (
    "async",
    "sync",
    "generator",
    "async generator",
    "with a child",
    "with parameters",
    "that needs a parameter",
    "that raises",
    "a scheme",
    "itself",
    "the switch",
)
POSITIONS = (
    "once",
    "first",
    "between",
    "fresh",
    "nested",
    "child",
    "before a generator",
    "last",
    "the parent",
    "the endpoint",
)


def _target(fw: Framework, log: Log, name: str) -> tuple[Any, dict[str, Any]]:
    """A dependency that will be overridden, and the options with which it is used."""
    if name == "function generator":
        return dependency(log, "async generator", "target"), {"scope": "function"}
    if name == "with a child":
        child = dependency(log, "async generator", "child", parameter("c", int, 0))
        return dependency(log, "async", "target", parameter("child", Any, fw.Depends(child))), {}
    if name == "with parameters":
        return dependency(log, "async", "target", parameter("t", int), parameter("u", Any, fw.Header("none"))), {}
    if name == "bearer":
        return fw.security.OAuth2PasswordBearer(tokenUrl="token", auto_error=False), {}
    if name == "key":
        return fw.security.APIKeyHeader(name="x-key"), {}
    return dependency(log, name, "target"), {}


def _replacement(fw: Framework, log: Log, name: str, target: Any, switch: Any) -> Any:
    if name == "with a child":
        child = dependency(log, "generator", "new child", parameter("n", int, 0))
        return dependency(log, "async", "new", parameter("child", Any, fw.Depends(child)))
    if name == "with parameters":
        return dependency(log, "async", "new", parameter("n", int, 0), parameter("request", fw.Request))
    if name == "that needs a parameter":
        return dependency(log, "async", "new", parameter("needed", int))
    if name == "that raises":

        async def refuse() -> None:
            log.append("refuse")
            raise fw.HTTPException(403, "refused", {"x-why": "late"})

        return refuse
    if name == "a scheme":
        return fw.security.HTTPBearer(auto_error=False)
    return {"itself": target, "the switch": switch}.get(name) or dependency(log, name, "new")


def late(
    target_name: str, replacement_name: str, position: str, *, switch_kind: str = "async", last: str = "async"
) -> Make:
    """An application whose dependency `switch` overrides the target, and whose `restore` ends that.

    Parameters:
        target_name: what is overridden. replacement_name: by what. position: where in the tree.
        switch_kind: what kind of dependency does it; a generator ends it itself, too. last: the kind of the endpoint.
    """

    def make(fw: Framework, log: Log) -> Any:
        app = fw.FastAPI()
        target, options = _target(fw, log, target_name)
        overridden: list[Any] = [target]

        def on() -> str:
            log.append("on")
            app.dependency_overrides[overridden[0]] = _replacement(fw, log, replacement_name, target, switch)
            return "on"

        switch = _switch(app, log, switch_kind, on)

        async def restore() -> None:
            log.append("off")
            app.dependency_overrides.clear()

        def use(**more: Any) -> Any:
            return fw.Depends(target, **options, **more)

        other = dependency(log, "async", "other", parameter("o", int, 0))
        generator = dependency(log, "async generator", "generator", parameter("target", Any, use()))
        outer = dependency(
            log, "sync", "outer", parameter("switch", Any, fw.Depends(switch)), parameter("target", Any, use())
        )
        left = dependency(log, "async", "left", parameter("target", Any, use()))
        trees: dict[str, list[Any]] = {
            "once": [fw.Depends(switch), use()],
            "first": [fw.Depends(switch), use(), fw.Depends(other), use()],
            "between": [use(), fw.Depends(switch), use(), fw.Depends(restore), use()],
            "fresh": [
                *(use(), fw.Depends(switch), use(use_cache=False), fw.Depends(restore)),
                *(use(use_cache=False), fw.Depends(other)),
            ],
            "nested": [fw.Depends(other), fw.Depends(outer), use()],
            "child": [fw.Depends(left), fw.Depends(switch), fw.Depends(generator, **options), use()],
            "before a generator": [fw.Depends(switch), fw.Depends(generator, **options), fw.Depends(restore), use()],
            "last": [use(), fw.Depends(generator, **options), fw.Depends(switch)],
            "the parent": [fw.Depends(other), fw.Depends(outer), use(), fw.Depends(outer, use_cache=False)],
            "the endpoint": [fw.Depends(other), fw.Depends(switch)],
        }
        depends = [parameter(f"d{number}", Any, depend) for number, depend in enumerate(trees[position])]
        add(fw, app, log, last, *depends)
        if position == "the parent":
            overridden[0] = outer
        if position == "the endpoint":
            overridden[0] = next(route for route in app.routes if getattr(route, "path", None) == "/").endpoint
        return app

    return make


def _switch(app: Any, log: Log, kind: str, on: Any) -> Any:
    async def asynchronous() -> Any:
        return on()

    def synchronous() -> Any:
        return on()

    async def async_generator() -> Any:
        yield on()
        log.append("off at the end")
        app.dependency_overrides.clear()

    def generator() -> Any:
        yield on()
        log.append("off at the end")
        app.dependency_overrides.clear()

    return dict(zip(KINDS, (asynchronous, synchronous, async_generator, generator), strict=True))[kind]


def _clear(app: Any) -> None:
    app.dependency_overrides.clear()


_GIVEN = [(b"authorization", b"Bearer abc"), (b"x-key", b"k")]
ASKS = [
    Ask(query=b"t=1", headers=_GIVEN, before=_clear),
    Ask(query=b"t=1&n=2&o=3&c=4&needed=5", headers=_GIVEN, before=_clear),
    Ask(query=b"t=1&o=x&n=x", headers=_GIVEN, before=_clear),
    Ask(before=_clear),
    Ask(query=b"t=1&needed=x&c=x", headers=_GIVEN),
]
