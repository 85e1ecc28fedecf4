"""Exceptions hold, show and accept what FastAPI's do."""

import inspect
import itertools
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from _oracle import same
from ferrapi import exceptions
from support.asgi import Ask
from support.compare import compare
from support.frameworks import FERRAPI, Framework
from support.naming import steady_name

VALIDATION = [
    "ValidationException",
    "RequestValidationError",
    "ResponseValidationError",
    "WebSocketRequestValidationError",
]
ERROR = {"type": "missing", "loc": ("query", "q"), "msg": "Field required", "input": None}
PLACE: dict[str, list[Any]] = {
    "file": ["app.py", "", None],
    "line": [3, 0, None],
    "function": ["read", "", None],
    "path": ["GET /x", "", None],
}
ABSENT = 3


def places() -> list[Any]:
    """Every combination of known, empty, None and absent facts about an endpoint."""
    combinations = itertools.product(range(4), repeat=len(PLACE))
    return [
        None,
        *(
            {
                name: values[index]
                for (name, values), index in zip(PLACE.items(), indices, strict=True)
                if index < ABSENT
            }
            for indices in combinations
        ),
    ]


@pytest.mark.parametrize("errors", [[], [ERROR], [ERROR, {"type": "x"}], (ERROR,), "ab"], ids=steady_name)
@pytest.mark.parametrize("name", VALIDATION)
def test_validation_errors_show_the_same(name: str, errors: Any) -> None:
    for place in places():

        def question(framework: Any, place: Any = place) -> Any:
            error = getattr(framework.exceptions, name)(errors, endpoint_ctx=place)
            return str(error), repr(error), error.args, vars(error), error.errors() is errors

        assert same(question)[0] == "value"


@pytest.mark.parametrize("name", ["RequestValidationError", "ResponseValidationError"])
def test_a_body_is_kept(name: str) -> None:
    same(lambda framework: vars(getattr(framework.exceptions, name)([ERROR], body={"a": 1})))


@pytest.mark.parametrize(
    "args",
    [
        (404,), (404, None), (404, "x"), (404, ""), (404, {"a": 1}, {"x": "y"}), (299,), (600,), ("x",), (404, 0),
        (404, []), (),
    ],
)  # fmt: skip
def test_http_exceptions(args: tuple[Any, ...]) -> None:
    def question(framework: Any) -> Any:
        error = framework.exceptions.HTTPException(*args)
        return repr(error), str(error), error.detail, error.headers, error.args

    answer = same(question)
    assert answer[0] == ("value" if args else "error")


@pytest.mark.parametrize("args", [(1008,), (1008, "why"), (1008, None), (None, "x")])
def test_websocket_exceptions(args: tuple[Any, ...]) -> None:
    def question(framework: Any) -> Any:
        error = framework.exceptions.WebSocketException(*args)
        return repr(error), str(error), error.code, error.reason, error.args

    same(question)


@pytest.mark.parametrize("name", ["HTTPException", "WebSocketException", *VALIDATION])
def test_signatures(name: str) -> None:
    def shape(framework: Any) -> Any:
        parameters = inspect.signature(getattr(framework.exceptions, name)).parameters.values()
        return [(p.name, p.kind.name, p.default) for p in parameters]

    same(shape)


@pytest.mark.parametrize(
    "name", ["FastAPIError", "DependencyScopeError", "PydanticV1NotSupportedError", "FastAPIDeprecationWarning"]
)
def test_bases(name: str) -> None:
    same(lambda framework: [base.__name__ for base in getattr(framework.exceptions, name).__mro__])


@pytest.mark.parametrize("error", [exceptions.UsageError, exceptions.ParameterError, exceptions.RouteError])
def test_mistakes_can_be_caught_as_in_fastapi(error: type[Exception]) -> None:
    assert issubclass(error, AssertionError)
    assert issubclass(error, exceptions.FastAPIError)


def test_error_models() -> None:
    same(lambda framework: framework.exceptions.RequestErrorModel.model_json_schema())
    same(lambda framework: framework.exceptions.WebSocketErrorModel.model_json_schema())
    same(lambda framework: framework.exceptions.RequestErrorModel.model_validate(3))


def test_validation_errors_can_be_pickled() -> None:
    error = exceptions.RequestValidationError([ERROR], body=1, endpoint_ctx={"path": "GET /x"})
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.body) == (str(error), 1)


@pytest.mark.parametrize("name", VALIDATION)
@pytest.mark.parametrize("by_name", [False, True])
def test_only_positional_arguments_are_shown(name: str, by_name: bool) -> None:
    def question(framework: Any) -> Any:
        made = getattr(framework.exceptions, name)
        error = made(errors=[ERROR]) if by_name else made([ERROR], endpoint_ctx={"path": "GET /x"})
        return repr(error), error.args, error.errors()

    same(question)


def test_what_handlers_get_shows_itself_alike() -> None:
    def make(fw: Framework, log: list[Any]) -> Any:
        app = fw.FastAPI()

        async def note(request: Any, error: Any) -> Any:
            log.append((repr(error), error.args))
            return fw.Response()

        for name in ("RequestValidationError", "ResponseValidationError"):
            app.add_exception_handler(getattr(fw.exceptions, name), note)

        @app.get("/in")
        def takes(number: int) -> None: ...

        @app.get("/out")
        def returns() -> int:
            return "x"  # type: ignore[return-value]

        @app.get("/text")
        async def returns_text() -> dict[str, int]:
            return {"a": []}  # type: ignore[dict-item]

        return app

    compare(make, [Ask(path=path) for path in ("/in", "/out", "/text")])


@pytest.mark.parametrize("of_application", [False, True])
def test_the_deprecation_of_on_event_points_at_the_application(of_application: bool) -> None:
    app = FERRAPI.FastAPI()
    with pytest.warns(DeprecationWarning, match="on_event is deprecated") as seen:
        (app if of_application else app.router).on_event("startup")(lambda: None)
    assert [warning.filename for warning in seen] == [__file__]


def test_models_of_pydantic_1_are_refused_by_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        v1 = pytest.importorskip("pydantic.v1")

    class Old(v1.BaseModel):  # it has no types
        number: int

    def taking(old: Any) -> None: ...

    taking.__annotations__["old"] = Old

    def ask(use: Callable[[Any], Any]) -> None:
        same(lambda framework: use(Framework(framework.package)))

    ask(lambda fw: fw.FastAPI().post("/")(taking))
    ask(lambda fw: fw.FastAPI().get("/", response_model=list[Old])(lambda: 1))
    ask(lambda fw: fw.FastAPI().get("/", responses={400: {"model": Old}})(lambda: 1))
    ask(lambda fw: fw.encoders.jsonable_encoder(Old(number=1)))
