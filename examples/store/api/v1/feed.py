"""The order feed: a WebSocket that says what happens to orders, as it happens."""

from typing import Annotated

import anyio
from ferrapi import APIRouter, Depends, WebSocket, WebSocketDisconnect, WebSocketException, status

from ...dependencies import ShopDep
from ...models import Customer
from ...repositories.orders import STAFF
from ...security.tokens import TokenError, read_token
from ...services.feed import Listener

router = APIRouter(prefix="/orders", tags=["orders"])
PROTOCOL = "bearer"


async def get_listening_customer(websocket: WebSocket, shop: ShopDep) -> Customer:
    """Returns the customer of the token: in `Authorization`, or, for browsers, the second of two subprotocols.

    Raises:
        WebSocketException: 1008 when there is none that holds; the handshake is refused then (403).
    """
    scheme, _, token = websocket.headers.get("Authorization", "").partition(" ")
    offered = websocket.scope["subprotocols"]
    if not token and len(offered) == 2 and offered[0] == PROTOCOL:
        scheme, token = offered
    try:
        claims = read_token(token if scheme.lower() == PROTOCOL else "", shop.settings.token_secret.get_secret_value())
    except TokenError as error:
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, str(error)) from error
    async with shop.database.sessions() as session:
        customer = await session.get(Customer, claims.customer_id)
    if customer is None:
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, "the token's account does not exist any more")
    return customer


@router.websocket("/feed")
async def follow_orders(
    websocket: WebSocket, customer: Annotated[Customer, Depends(get_listening_customer)], shop: ShopDep
) -> None:
    """Sends each change of your orders as JSON, for the staff everybody's; what the client says is not read.

    Who does not keep up is told to come back (1013).
    """
    sees_all, customer_id = customer.role in STAFF, customer.id
    listener = shop.feed.listening(lambda event: sees_all or event.customer_id == customer_id)
    try:
        await websocket.accept(PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None)
        with shop.metrics.listeners.track_inprogress():
            await _until_gone(websocket, listener)
    finally:
        shop.feed.leave(listener)


async def _until_gone(websocket: WebSocket, listener: Listener) -> None:
    """Sends events until the client leaves or is too slow."""
    try:
        async with anyio.create_task_group() as both:
            both.start_soon(_send_all, websocket, listener)
            both.start_soon(_wait_for_end, websocket)
    except* WebSocketDisconnect:
        pass


async def _send_all(websocket: WebSocket, listener: Listener) -> None:
    while (event := await listener.next()) is not None:
        await websocket.send_text(event.model_dump_json())
    await websocket.close(status.WS_1013_TRY_AGAIN_LATER)


async def _wait_for_end(websocket: WebSocket) -> None:
    while True:
        await websocket.receive_text()
