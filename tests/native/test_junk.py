"""Junk for the compiled module: any argument of any type ends in an ordinary exception, never in a panic."""

from typing import Any

from ferrapi import _native
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import SchemaValidator, core_schema

PANIC = "PanicException"
MORE = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


class Odd:
    """An object whose every operation fails."""

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Any:
        raise ZeroDivisionError

    def __getitem__(self, key: Any) -> Any:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        return "Odd"


class Loose(dict[Any, Any]):
    """A dictionary of a class of its own."""


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(),
    st.text(max_size=4),
    st.binary(max_size=6),
    st.sampled_from(
        ["\ud800", "/{a}", "/{a:int}", "{", "/{a}/{a}", "http", "websocket", "str", "int", "custom", "query", "path"]
    ),
    st.sampled_from(
        [b"a=1&b", b"%", b"\xff=\xfe", b"multipart/form-data; boundary=b", b"cookie", b"host", b'"', b'a="\\']
    ),
    st.builds(Odd),
    st.builds(object),
    st.sampled_from(
        [int, len, ..., memoryview(b"x"), bytearray(b"y"), range(3), {1}, SchemaValidator(core_schema.any_schema())]
    ),
)
KEYS = st.one_of(
    st.sampled_from(["path", "prefix", "exact", "protocol", "methods", "convertors", "target", "params", "validator"]),
    st.sampled_from(
        ["source", "key", "names", "many", "default", "make_default", "type", "method", "headers", "root_path"]
    ),
    st.sampled_from(["query_string", "path_params", "raw_path"]),
    LEAVES.filter(lambda value: value.__hash__ is not None and not isinstance(value, (bytearray, set))),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=6)
        | st.dictionaries(KEYS, inner, max_size=4).map(Loose)
    ),
    max_leaves=10,
)


def attempt(function: Any, *args: Any) -> Any:
    """Call it; ordinary exceptions are fine, anything else isn't."""
    try:
        return function(*args)
    except Exception:
        return None
    except BaseException as exc:
        raise AssertionError(f"{type(exc).__name__} from {function} {args!r}") from exc


FUNCTIONS = [
    getattr(_native, name)
    for name in sorted(_native.__all__)
    if callable(getattr(_native, name)) and not name.endswith(("Error", "Exceeded", "Refused"))
]


@MORE
@given(st.sampled_from(FUNCTIONS), st.lists(ANYTHING, max_size=4))
def test_every_function_with_any_arguments(function: Any, arguments: list[Any]) -> None:
    made = attempt(function, *arguments)
    for name in ("find", "read", "feed", "finish"):
        method = getattr(made, name, None) if type(made).__module__ == "ferrapi._native" else None
        if method is not None:
            attempt(method, *arguments[:1])


ROUTE = st.fixed_dictionaries(
    {
        "path": ANYTHING | st.sampled_from([None, "/", "/{a}", "/{a:int}.{b}", "/{a:path}/x", "{a}", "", "/é/{a}"]),
        "prefix": st.booleans() | ANYTHING,
        "exact": st.booleans(),
        "protocol": st.sampled_from([None, "http", "websocket"]) | ANYTHING,
        "methods": st.none() | st.lists(st.sampled_from(["GET", "", "\ud800"]), max_size=2) | ANYTHING,
        "convertors": st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "c"]),
                st.sampled_from(["str", "int", "path", "float", "uuid", "custom", "x"]),
                ANYTHING,
            ),
            max_size=3,
        ),
        "target": ANYTHING,
    }
)
SCOPE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["http", "websocket", "lifespan"]) | ANYTHING,
        "path": st.sampled_from(["/", "/a", "/1.b", "", "/\ud800", "/a/b/x", "é"]) | ANYTHING,
        "root_path": st.sampled_from(["", "/", "/a"]) | ANYTHING,
        "method": st.sampled_from(["GET"]) | ANYTHING,
        "path_params": st.just({}) | ANYTHING,
        "query_string": st.binary(max_size=12) | ANYTHING,
        "headers": st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6)) | ANYTHING, max_size=4) | ANYTHING,
    },
)


class Target:
    """A target with the attributes that a table reads."""

    route = None
    endpoint = None
    announced = None

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def matches(self, scope: Any) -> Any:
        return self.answer


@MORE
@given(st.lists(ROUTE, min_size=1, max_size=4), SCOPE, ANYTHING)
def test_tables_made_of_junk(routes: list[dict[str, Any]], scope: dict[str, Any], answer: Any) -> None:
    table = attempt(_native.RouteTable, [{**route, "target": Target(answer)} for route in routes])
    if table is not None:
        attempt(table.find, scope)
    attempt(_native.RouteTable, routes)


PARAM = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["path", "query", "header", "cookie"]),
        "key": st.sampled_from(["a", "b", "é"]),
        "names": st.lists(st.sampled_from(["a", "é", "", "\x00", "名"]), min_size=1, max_size=3) | ANYTHING,
        "many": st.booleans(),
    },
    optional={"default": ANYTHING, "make_default": ANYTHING},
)


@MORE
@given(st.lists(PARAM, max_size=4), SCOPE)
def test_readers_made_of_junk(params: list[dict[str, Any]], scope: dict[str, Any]) -> None:
    fields = {key: core_schema.typed_dict_field(core_schema.any_schema(), required=False) for key in ("a", "b", "é")}
    validator = SchemaValidator(core_schema.typed_dict_schema(fields))
    reader = attempt(_native.Reader, [{"params": params, "validator": validator}])
    if reader is not None:
        attempt(reader.read, scope)


@MORE
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    for function in (_native.parse_query, _native.is_json_content_type):
        function(data)
    _native.parse_cookies([(b"cookie", data)])
    attempt(_native.response_head_problem, 200, [(data, data)])


def test_every_exception_is_an_exception() -> None:
    for name in ("PlanError", "LimitExceeded", "FormRefused"):
        assert issubclass(getattr(_native, name), Exception)
    assert not hasattr(_native, PANIC)
