"""The answers to the exceptions that the application knows."""

import asyncio
from typing import Any

import pytest
from _oracle import FERRAPI, Framework, same


def response(framework: Framework, handler: str, error: Any) -> Any:
    answered = asyncio.run(getattr(framework.exception_handlers, handler)(None, error))
    return answered.status_code, answered.body, sorted(answered.raw_headers)


@pytest.mark.parametrize(
    "args",
    [
        (404,),
        (404, {"a": 1}, {"x": "y"}),
        (404, ""),
        (404, "é"),
        (418, ["a", None], {}),
        (100,),
        (204, "text"),
        (205,),
        (304, "text", {"etag": "1"}),
        (200, None),
        (600, "x"),
        (500, float("nan")),
    ],
    ids=repr,
)
def test_http_exceptions(args: tuple[Any, ...]) -> None:
    same(lambda framework: response(framework, "http_exception_handler", framework.exceptions.HTTPException(*args)))


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [{"type": "missing", "loc": ("query", "q"), "msg": "Field required", "input": None}],
        [{"ctx": {"error": ValueError("x")}, "input": b"abc"}, {"input": {1, 2}}],
        [{"input": object()}],
    ],
    ids=repr,
)
def test_request_validation_errors(errors: Any) -> None:
    def question(framework: Framework) -> Any:
        error = framework.exceptions.RequestValidationError(errors, body="b")
        return response(framework, "request_validation_exception_handler", error)

    same(question)


def test_the_limits_can_be_switched_off_by_another_handler() -> None:
    error = FERRAPI.exceptions.RequestValidationError([{"msg": "x"}] * 2000)
    limited = response(FERRAPI, "request_validation_exception_handler", error)
    unlimited = response(FERRAPI, "unlimited_request_validation_exception_handler", error)
    assert (limited[0], unlimited[0]) == (422, 422)
    assert (limited[1].count(b'"msg"'), unlimited[1].count(b'"msg"')) == (1001, 2000)


def test_websocket_validation_errors_close_the_socket() -> None:
    class Socket:
        closed: Any = None

        async def close(self, **arguments: Any) -> None:
            self.closed = arguments

    def question(framework: Framework) -> Any:
        socket = Socket()
        error = framework.exceptions.WebSocketRequestValidationError([{"loc": ("query", "q"), "input": b"x"}])
        asyncio.run(framework.exception_handlers.websocket_request_validation_exception_handler(socket, error))
        return socket.closed

    assert "1008" in same(question)[2]
