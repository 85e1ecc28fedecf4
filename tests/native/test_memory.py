"""Native objects that hold Python references are collected, and nothing grows with what clients send."""

import gc
import resource
import weakref
from typing import Any

import pytest
from ferrapi._native import Reader, RouteTable, parse_cookies, parse_query
from ferrapi.compile.boundary import RoutePlan
from pydantic_core import SchemaValidator, core_schema


class Node:
    """Something that can be in a cycle and watched."""

    route: Any = None
    endpoint: Any = None
    announced: Any = None

    def __call__(self, *args: Any) -> Any:
        return self


def route_plan(target: Any, path: str | None = "/{a}", convert: Any = None) -> RoutePlan:
    """A `RoutePlan`."""
    kind = "str" if convert is None else "custom"
    return {
        "path": path,
        "prefix": False,
        "exact": convert is None,
        "protocol": "http",
        "methods": ["GET"],
        "convertors": [("a", kind, convert)] if path else [],
        "target": target,
        "mounted": None,
    }


def param(key: str, source: str = "query", **more: Any) -> Any:
    """A `ParamPlan`."""
    return {"source": source, "key": key, "names": [key], "many": False, **more}


def validator(*keys: str) -> SchemaValidator:
    """The validator of a group."""
    fields = {key: core_schema.typed_dict_field(core_schema.str_schema(), required=False) for key in keys}
    return SchemaValidator(core_schema.typed_dict_schema(fields))


def table_in_a_cycle() -> Node:
    node = Node()
    node.route = node.endpoint = node.announced = node
    node.table = RouteTable([route_plan(node), route_plan(node, None), route_plan(node, "/x/{a}", node)])  # type: ignore[attr-defined]
    return node


def reader_in_a_cycle() -> Node:
    node = Node()
    params = [param("a", default=node), param("b", make_default=node)]
    node.reader = Reader([{"params": params, "validator": validator("a", "b")}, None])  # type: ignore[attr-defined]
    return node


@pytest.mark.parametrize("make", [table_in_a_cycle, reader_in_a_cycle])
def test_cycles_are_collected(make: Any) -> None:
    watched = [weakref.ref(make()) for _ in range(1000)]
    gc.collect()
    assert sum(reference() is None for reference in watched) == 1000


def test_a_used_table_is_collected_too() -> None:
    node = table_in_a_cycle()
    scope = {"type": "http", "method": "GET", "path": "/a", "headers": []}
    assert node.table.find(scope) is not None  # type: ignore[attr-defined]
    watched = weakref.ref(node)
    del node, scope
    gc.collect()
    assert watched() is None


def test_collection_while_the_table_is_asking() -> None:
    """A convertor may do anything: also collect, drop the last reference to the table, or ask it again."""
    holder: dict[str, Any] = {}
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/x", "headers": []}

    class Busy(Node):
        def matches(self, scope: Any) -> Any:
            from starlette.routing import Match

            if "table" in holder:
                table = holder.pop("table")
                assert table.find(dict(scope)) is not None
                del table
            gc.collect()
            return Match.FULL, {"endpoint": 1}

    node = Busy()
    node.route = node.endpoint = None
    table = RouteTable([{**route_plan(node, None), "methods": None}])
    holder["table"] = table
    find = table.find
    del table
    found = find(scope)
    assert found is not None
    target, full = found
    assert target is node
    assert full


def test_a_default_factory_may_use_its_reader() -> None:
    holder: dict[str, Any] = {}
    scope = {"query_string": b"", "headers": [], "path_params": {}}

    def make() -> Any:
        reader = holder.pop("reader", None)
        gc.collect()
        return None if reader is None else reader.read(scope)

    reader = Reader([{"params": [param("a", make_default=make)], "validator": validator("a")}])
    holder["reader"] = reader
    assert reader.read(scope) == [{"a": [{"a": None}]}]


def test_names_that_clients_invent_are_not_remembered() -> None:
    """A million distinct names of query parameters, headers and cookies leave nothing behind."""
    params = [param("q"), param("h", "header"), param("c", "cookie")]
    for each in params:
        each["default"] = None
    reader = Reader([{"params": params, "validator": validator("q", "h", "c")}])

    def ask(start: int, count: int) -> None:
        for first in range(start, start + count, 100):
            names = [b"n%d" % number for number in range(first, first + 100)]
            query = b"&".join(name + b"=1" for name in names)
            headers = [(name, b"1") for name in names] + [(b"cookie", b"; ".join(name + b"=1" for name in names))]
            scope = {"query_string": query, "headers": headers, "path_params": {}}
            assert reader.read(scope) == [{"q": None, "h": None, "c": None}]
            parse_query(query)
            parse_cookies(headers)

    ask(0, 100_000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ask(100_000, 1_000_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1024, f"{grown} KiB"
