"""The dispatcher's desk, by hand."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from anyio.to_thread import run_sync
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from python_multipart.multipart import FormParser, parse_options_header

from ..checked import problems
from ..services.freight import (
    BY_STATE,
    SHIPMENTS,
    USERS,
    Booking,
    Confirmation,
    Line,
    Search,
    Shipment,
    ShipmentRow,
    calls,
    confirmation,
)
from ..services.sessions import AsyncSession, Session
from .serving import Answer, Receive, Scope, application, header, json_reply, read_body, reply, routes

_JSON = b"application/json"
_INTEGER = TypeAdapter(int).validator
_LINES = TypeAdapter(list[Line])
_READINGS = TypeAdapter(list[dict[str, Any]]).validator
_ONE_DAY = b"HttpOnly; Max-Age=86400; Path=/; SameSite=lax"


def invalid(error: ValidationError, source: str) -> Answer:
    """The answer to what is not valid."""
    return reply(422, _JSON, problems(error, source))


def _active_user(scope: Scope) -> Mapping[str, Any] | Answer:
    """Who sent the token, or the answer to whom may not come in."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    challenge = (b"www-authenticate", b"Bearer")
    if scheme.lower() != "bearer":
        return json_reply({"detail": "Not authenticated"}, 401, challenge)
    calls["current user"] += 1
    user = USERS.get(token)
    if user is None:
        return json_reply({"detail": "Unknown token"}, 401, challenge)
    return user if user["active"] else json_reply({"detail": "Locked"}, 403)


def _confirmed(booking: Booking) -> bytes:
    validated = Confirmation.__pydantic_validator__.validate_python(confirmation(booking))
    return Confirmation.__pydantic_serializer__.to_json(validated)


async def show_calls(scope: Scope, receive: Receive, rest: str) -> Answer:
    """The counters."""
    return json_reply(calls)


async def status(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Whether the desk is open."""
    calls["status"] += 1
    return json_reply({"desk": "north", "open": True, "waiting": 3})


async def _announce(booking_id: str, name: str) -> None:
    calls["announced"] += 1


async def book(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Book a transport."""
    user = _active_user(scope)
    if isinstance(user, tuple):
        return user
    session = AsyncSession()
    try:
        booking = Booking.__pydantic_validator__.validate_json(await read_body(receive))
        calls["book"] += 1
        session.add(booking)
        answer = reply(201, _JSON, _confirmed(booking))
        await session.commit()
    except ValidationError as error:
        await session.rollback()
        return invalid(error, "body")
    finally:
        await session.close()
    await _announce(str(booking.id), user["name"])
    return answer


async def offer(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Price a transport."""
    try:
        booking = Booking.__pydantic_validator__.validate_json(await read_body(receive))
    except ValidationError as error:
        return invalid(error, "body")
    calls["offer"] += 1
    return reply(200, _JSON, _confirmed(booking))


def _lines(rows: list[ShipmentRow]) -> Answer:
    return reply(200, _JSON, _LINES.dump_json(_LINES.validate_python(rows, from_attributes=True)))


async def search(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Find shipments."""
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    try:
        wanted = Search.__pydantic_validator__.validate_python(
            {name: values if name == "carriers" else values[-1] for name, values in given.items()}
        )
    except ValidationError as error:
        return invalid(error, "query")
    calls["search"] += 1
    found = BY_STATE[wanted.state] if wanted.state else SHIPMENTS
    return _lines(found[wanted.offset : wanted.offset + wanted.limit])


async def manifest(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Consecutive shipments."""
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    try:
        start, length = (_INTEGER.validate_python(query.get(name, other)) for name, other in _RANGE)
    except ValidationError as error:
        return invalid(error, "query")
    calls["manifest"] += 1
    return _lines(SHIPMENTS[start : start + length])


_RANGE = (("start", None), ("length", 20))


def _shipment(number: int, counter: str) -> Answer:
    session = Session()
    try:
        calls[counter] += 1
        found = session.get(ShipmentRow, number)
        if found is None:
            session.rollback()
            return json_reply({"detail": "No such shipment"}, 404)
        validated = Shipment.__pydantic_validator__.validate_python(found)
        answer = reply(200, _JSON, Shipment.__pydantic_serializer__.to_json(validated))
        session.commit()
        return answer
    finally:
        session.close()


async def shipment(scope: Scope, receive: Receive, rest: str) -> Answer:
    """One shipment, in a worker thread."""
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    return await run_sync(_shipment, number, "shipment")


async def my_shipment(scope: Scope, receive: Receive, rest: str) -> Answer:
    """One shipment, for those who may see it."""
    user = _active_user(scope)
    if isinstance(user, tuple):
        return user
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    return await run_sync(_shipment, number, "my shipment")


async def whoami(scope: Scope, receive: Receive, rest: str) -> Answer:
    """What the client looks like."""
    calls["whoami"] += 1
    host = (header(scope, b"host") or scope["server"][0]).partition(":")[0]
    return json_reply({"client": header(scope, b"x-client"), "path": scope["path"], "host": host})


async def preferences(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Remember a theme."""
    theme = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("theme")
    if theme is None:
        missing = {"type": "missing", "loc": ["query", "theme"], "msg": "Field required", "input": None}
        return json_reply({"detail": [missing]}, 422)
    calls["preferences"] += 1
    cookie = b"theme=%b; %b" % (theme.encode(), _ONE_DAY)
    return json_reply({"theme": theme}, 200, (b"set-cookie", cookie), (b"cache-control", b"no-store"))


async def rates(scope: Scope, receive: Receive, rest: str) -> Answer:
    """What a zone costs."""
    try:
        zone = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["rates"] += 1
    return json_reply({"zone": zone, "base": zone * 1.5, "currency": "EUR"}, 200, (b"x-valid-days", b"7"))


async def labels(scope: Scope, receive: Receive, rest: str) -> Answer:
    """Twenty labels, as they are printed."""
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["labels"] += 1

    async def printed() -> AsyncIterator[bytes]:
        for page in range(20):
            yield f"^XA^FO50,{page:02}^FDlabel {number}-{page}^FS".ljust(1023, ".").encode() + b"\n"

    return 200, [(b"content-type", b"application/octet-stream")], printed()


async def documents(scope: Scope, receive: Receive, rest: str) -> Answer:
    """A scan of a paper."""
    parts: dict[str, Any] = {}
    _, options = parse_options_header(header(scope, b"content-type"))
    parser = FormParser(
        "multipart/form-data",
        lambda field: parts.__setitem__("kind", (field.value or b"").decode()),
        lambda file: parts.__setitem__("scan", file),
        boundary=options[b"boundary"],
    )
    parser.write(await read_body(receive))
    parser.finalize()
    calls["documents"] += 1
    scan = parts["scan"]
    scan.file_object.seek(0)
    said = {"kind": parts["kind"], "name": (scan.file_name or b"").decode(), "type": scan.content_type}
    return json_reply({**said, "size": len(scan.file_object.read())}, 201)


async def readings(scope: Scope, receive: Receive, rest: str) -> Answer:
    """What the sensors of a truck saw."""
    try:
        items = _READINGS.validate_json(await read_body(receive))
    except ValidationError as error:
        return invalid(error, "body")
    calls["readings"] += 1
    return json_reply({"received": len(items), "alarms": sum(item["celsius"] > 40 for item in items)})


async def invoice(scope: Scope, receive: Receive, rest: str) -> Answer:
    """An invoice; there is none below 1000."""
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["invoice"] += 1
    return json_reply({"detail": f"No invoice {number}"}, 404) if number < 1000 else json_reply({"number": number})


async def customs(scope: Scope, receive: Receive, rest: str) -> Answer:
    """What another service says, after a millisecond."""
    try:
        number = _INTEGER.validate_python(rest)
    except ValidationError as error:
        return invalid(error, "path")
    calls["customs"] += 1
    await asyncio.sleep(0.001)
    return reply(200, _JSON, to_json({"number": number, "cleared": number % 2 == 0}))


app = application(
    routes(
        [
            ("GET", "/calls", show_calls),
            ("GET", "/status", status),
            ("POST", "/bookings", book),
            ("POST", "/offers", offer),
            ("GET", "/shipments", search),
            ("GET", "/manifest", manifest),
            ("GET", "/whoami", whoami),
            ("GET", "/preferences", preferences),
            ("POST", "/documents", documents),
            ("POST", "/readings", readings),
        ]
    ),
    routes(
        [
            ("GET", "/shipments", shipment),
            ("GET", "/my/shipments", my_shipment),
            ("GET", "/rates", rates),
            ("GET", "/labels", labels),
            ("GET", "/invoices", invoice),
            ("GET", "/customs", customs),
        ]
    ),
)
