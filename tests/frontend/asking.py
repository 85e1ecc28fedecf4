"""Short ways to say what the tests ask."""

from collections.abc import Callable
from os import PathLike
from typing import Any

from support.frameworks import Framework

PAGE = [(b"accept", b"text/html")]


def header(line: str) -> tuple[bytes, bytes]:
    """``"name: value"`` as ASGI has it."""
    name, _, value = line.partition(": ")
    return name.encode(), value.encode()


def site(directory: PathLike[str], path: str = "/", **options: Any) -> Callable[[Framework, list[Any]], Any]:
    """An application that is one front end."""

    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI(openapi_url=None)
        app.frontend(path, directory=directory, **options)
        return app

    return make


def note(log: list[Any], *what: Any) -> Callable[[], None]:
    """A dependency that notes something."""

    def dependency() -> None:
        log.extend(what)

    return dependency
