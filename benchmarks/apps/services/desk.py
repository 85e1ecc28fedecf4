"""The dispatcher's desk: most of the endpoints of a service, without any middleware."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from ferrapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    File,
    Form,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
)
from ferrapi.responses import JSONResponse, StreamingResponse
from ferrapi.security import OAuth2PasswordBearer

from .freight import (
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
from .sessions import AsyncSession, Session

token = OAuth2PasswordBearer(tokenUrl="token")
bookings = APIRouter()
app = FastAPI(title="Dispatch desk")


async def async_session() -> AsyncIterator[AsyncSession]:
    """A session for a request."""
    session = AsyncSession()
    try:
        yield session
        await session.commit()
    except Exception:
        await session.rollback()
        raise
    finally:
        await session.close()


def session() -> Iterator[Session]:
    """The same as a generator that is not asynchronous: in a worker thread."""
    session = Session()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


async def current_user(token: Annotated[str, Depends(token)]) -> dict[str, Any]:
    """Who sent the token."""
    calls["current user"] += 1
    user = USERS.get(token)
    if user is None:
        raise HTTPException(401, "Unknown token", headers={"WWW-Authenticate": "Bearer"})
    return user


async def active_user(user: Annotated[dict[str, Any], Depends(current_user)]) -> dict[str, Any]:
    """The same, if the account is not locked."""
    if not user["active"]:
        raise HTTPException(403, "Locked")
    return user


async def announce(booking_id: str, name: str) -> None:
    """Tell the depot, after the answer."""
    calls["announced"] += 1


@bookings.post("/bookings", status_code=201, response_model=Confirmation)
async def book(
    booking: Booking,
    user: Annotated[dict[str, Any], Depends(active_user)],
    session: Annotated[AsyncSession, Depends(async_session)],
    background: BackgroundTasks,
) -> Any:
    """Book a transport."""
    calls["book"] += 1
    session.add(booking)
    background.add_task(announce, str(booking.id), user["name"])
    return confirmation(booking)


@app.get("/calls")
async def show_calls() -> dict[str, int]:
    """The counters."""
    return dict(calls)


@app.get("/status")
async def status() -> dict[str, Any]:
    """Whether the desk is open."""
    calls["status"] += 1
    return {"desk": "north", "open": True, "waiting": 3}


@app.post("/offers", response_model=Confirmation)
async def offer(booking: Booking) -> Any:
    """Price a transport without booking it."""
    calls["offer"] += 1
    return confirmation(booking)


@app.get("/shipments", response_model=list[Line])
async def search(wanted: Annotated[Search, Query()]) -> Any:
    """Find shipments."""
    calls["search"] += 1
    found = BY_STATE[wanted.state] if wanted.state else SHIPMENTS
    return found[wanted.offset : wanted.offset + wanted.limit]


@app.get("/manifest", response_model=list[Line])
async def manifest(start: int, length: int = 20) -> Any:
    """Consecutive shipments."""
    calls["manifest"] += 1
    return SHIPMENTS[start : start + length]


@app.get("/shipments/{shipment_id}", response_model=Shipment)
def shipment(shipment_id: int, session: Annotated[Session, Depends(session)]) -> Any:
    """One shipment."""
    calls["shipment"] += 1
    found = session.get(ShipmentRow, shipment_id)
    if found is None:
        raise HTTPException(404, "No such shipment")
    return found


@app.get("/my/shipments/{shipment_id}", response_model=Shipment)
def my_shipment(
    shipment_id: int,
    user: Annotated[dict[str, Any], Depends(active_user)],
    session: Annotated[Session, Depends(session)],
) -> Any:
    """One shipment, for those who may see it."""
    calls["my shipment"] += 1
    found = session.get(ShipmentRow, shipment_id)
    if found is None or user["id"] < 0:
        raise HTTPException(404, "No such shipment")
    return found


@app.get("/whoami")
async def whoami(request: Request) -> dict[str, str | None]:
    """What the client looks like."""
    calls["whoami"] += 1
    return {"client": request.headers.get("x-client"), "path": request.url.path, "host": request.url.hostname}


@app.get("/preferences")
async def preferences(theme: str, response: Response) -> dict[str, str]:
    """Remember a theme."""
    calls["preferences"] += 1
    response.set_cookie("theme", theme, max_age=86_400, httponly=True, samesite="lax")
    response.headers["cache-control"] = "no-store"
    return {"theme": theme}


@app.get("/rates/{zone}")
async def rates(zone: int) -> JSONResponse:
    """What a zone costs."""
    calls["rates"] += 1
    return JSONResponse({"zone": zone, "base": zone * 1.5, "currency": "EUR"}, headers={"x-valid-days": "7"})


@app.get("/labels/{number}")
async def labels(number: int) -> StreamingResponse:
    """Twenty labels, as they are printed."""
    calls["labels"] += 1

    async def printed() -> AsyncIterator[bytes]:
        for page in range(20):
            yield f"^XA^FO50,{page:02}^FDlabel {number}-{page}^FS".ljust(1023, ".").encode() + b"\n"

    return StreamingResponse(printed(), media_type="application/octet-stream")


@app.post("/documents", status_code=201)
async def documents(scan: Annotated[UploadFile, File()], kind: Annotated[str, Form()]) -> dict[str, Any]:
    """A scan of a paper."""
    calls["documents"] += 1
    content = await scan.read()
    return {"kind": kind, "name": scan.filename, "type": scan.content_type, "size": len(content)}


@app.post("/readings")
async def readings(items: list[dict[str, Any]]) -> dict[str, int]:
    """What the sensors of a truck saw."""
    calls["readings"] += 1
    return {"received": len(items), "alarms": sum(item["celsius"] > 40 for item in items)}


@app.get("/invoices/{number}")
async def invoice(number: int) -> dict[str, int]:
    """An invoice; there is none below 1000."""
    calls["invoice"] += 1
    if number < 1000:
        raise HTTPException(404, f"No invoice {number}")
    return {"number": number}


@app.get("/customs/{number}")
async def customs(number: int) -> dict[str, Any]:
    """What another service says, after a millisecond."""
    calls["customs"] += 1
    await asyncio.sleep(0.001)
    return {"number": number, "cleared": number % 2 == 0}


app.include_router(bookings)
