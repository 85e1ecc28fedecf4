"""Applications whose documents have to be equal, built with FastAPI or with ferrapi.

A case is a function that takes a `Framework` and returns an application. Types that both frameworks are given
(models, enums) are made inside the cases: the two applications share nothing.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Case = Callable[["Framework"], Any]


class Framework:
    """`fastapi` or `ferrapi`, whose submodules are attributes too: `fw.Query`, `fw.security.HTTPBasic`."""

    def __init__(self, package: str) -> None:
        self.package = package

    def __getattr__(self, name: str) -> Any:
        package = import_module(self.package)
        if hasattr(package, name):
            return getattr(package, name)
        return import_module(f"{self.package}.{name}")


class Cases(dict[str, Case]):
    """Cases by name; used as a decorator."""

    def __call__(self, case: Case) -> Case:
        name = f"{case.__module__.rpartition('.')[2].removeprefix('_').removesuffix('_cases')}-{case.__name__}"
        assert name not in self, name
        self[name] = case
        return case


cases = Cases()
