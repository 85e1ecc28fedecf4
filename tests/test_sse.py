"""An event is one event, whatever line breaks its parts have."""

import asyncio
import re
from typing import Any

import pytest
from _oracle import Framework, same
from ferrapi.sse import EventSourceResponse, ServerSentEvent, format_sse_event
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.naming import steady_name

TEXTS = [
    "", "a", "a\nb", "a\r\nb", "a\rb", "\n", "a\n", "\r\n\r\n", "a\n\n\nb", "a\0b", "a\u2028b", "a\u2029b", "a\x85b",
    "a\x0bb", "a\x0cb", "a\x1c\x1d\x1eb", " lead", ":c", "data: x", "é", "\ufeffx", "\ud800", "\n\r", "\r\r\n",
]  # fmt: skip
FIELDS = ["data_str", "event", "id", "comment"]


def breaks(text: str) -> bool:
    return "\r" in text or "\n" in text


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize("field", FIELDS)
def test_fields_are_written_alike(field: str, text: str) -> None:
    if field in ("event", "id") and breaks(text):
        with pytest.raises(ValueError, match=f"SSE '{field}' must be a single line"):
            format_sse_event(**{field: text})  # type: ignore[arg-type]  # chosen at run time
        return
    same(lambda framework: framework.sse.format_sse_event(**{field: text}))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"retry": 0},
        {"retry": 5000},
        {"data_str": "d", "event": "e", "id": "i", "retry": 3, "comment": "c"},
        {"data_str": "", "event": "", "id": "", "retry": 0, "comment": ""},
        {"data_str": "a\nb", "comment": "c\nd"},
        {"id": 5, "event": 7.5, "retry": "soon"},
    ],
    ids=steady_name,
)
def test_the_order_of_the_fields(fields: dict[str, Any]) -> None:
    same(lambda framework: framework.sse.format_sse_event(**fields))


text = st.text(st.sampled_from("ab:\r\n\0 \u2028\x85é"))
line = st.text(st.sampled_from("ab: \u2028\x85é"))


@given(st.none() | text, st.none() | line, st.none() | line, st.none() | st.integers(0, 9), st.none() | text)
def test_a_reader_gets_back_what_was_written(
    data: str | None, event: str | None, id_: str | None, retry: int | None, comment: str | None
) -> None:
    written = format_sse_event(data_str=data, event=event, id=id_, retry=retry, comment=comment).decode()
    assert written.endswith("\n")
    lines = re.split("\r\n|\r|\n", written)
    assert lines[-2:] == ["", ""] if len(lines) > 2 else lines == ["", ""]
    assert "" not in lines[:-2], "an empty line would end the event early"
    read: dict[str, list[str]] = {}
    for entry in lines[:-2]:
        name, _, value = entry.partition(": ")
        read.setdefault(name, []).append(value)
    expected = {"": comment, "event": event, "data": data, "id": id_, "retry": None if retry is None else str(retry)}
    assert {name: "\n".join(values) for name, values in read.items()} == {
        name: re.sub("\r\n|\r", "\n", value) for name, value in expected.items() if value is not None
    }


@pytest.mark.parametrize("value", [*TEXTS, 3, None, b"x", True, ["a"]], ids=ascii)
@pytest.mark.parametrize("field", ["data", "raw_data", "event", "id", "comment"])
def test_events_are_validated_alike(field: str, value: Any) -> None:
    def question(framework: Framework) -> Any:
        try:
            return framework.sse.ServerSentEvent(**{field: value}).model_dump()
        except ValidationError as error:
            return error.errors(include_url=False, include_context=False)

    same(question)


@pytest.mark.parametrize("retry", [0, 1, -1, None, 1.5, 2.0, "7", True, 10**30], ids=steady_name)
def test_the_time_to_wait_is_validated_alike(retry: Any) -> None:
    same(lambda framework: framework.sse.ServerSentEvent(retry=retry).model_dump())


@pytest.mark.parametrize(("data", "raw_data"), [(1, "x"), (0, "x"), ("", ""), (None, "x"), (1, None), (None, None)])
def test_an_event_has_one_kind_of_data(data: Any, raw_data: Any) -> None:
    if data is not None and raw_data is not None:
        with pytest.raises(ValidationError, match="Cannot set both"):
            ServerSentEvent(data=data, raw_data=raw_data)
        return
    same(lambda framework: framework.sse.ServerSentEvent(data=data, raw_data=raw_data).model_dump())


def test_the_keep_alive_comment() -> None:
    assert same(lambda framework: framework.sse.KEEPALIVE_COMMENT) == ("value", "bytes", repr(b": ping\n\n"))


def test_the_response_is_a_stream_of_its_media_type() -> None:
    async def send(framework: Framework) -> list[Any]:
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def events() -> Any:
            yield b"data: 1\n\n"
            yield "data: é\n\n"

        scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "headers": []}
        await framework.sse.EventSourceResponse(events(), headers={"x": "y"})(scope, receive, keep)
        return sent

    same(lambda framework: asyncio.run(send(framework)))
    assert EventSourceResponse.media_type == "text/event-stream"
