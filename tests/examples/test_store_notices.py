"""What follows a change in the store: the order feed, and letters over SMTP."""

import asyncio
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from ferrapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from store_client import CHICAGO, DENVER, PASSWORD, STAFF, TEN_LINES, line, log_in, opened, order

from examples.store.models import OrderStatus, utc_now
from examples.store.services.feed import BEHIND, LocalFeed, OrderEvent


class Postbox(MessageHandler):
    """A mail server that keeps what it gets, unless it is broken."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Message] = []
        self.broken = False

    def handle_message(self, message: Message) -> None:
        """Keeps a letter."""
        self.letters.append(message)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Takes or refuses a recipient."""
        envelope.rcpt_tos.append(address)
        return "550 no such mailbox" if self.broken else "250 OK"


class AnyPort(Controller):
    """A server at a port of the kernel's choice."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it listens
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def postbox() -> Iterator[SimpleNamespace]:
    """A running mail server: its box and its address."""
    box = Postbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield SimpleNamespace(box=box, url=f"smtp://127.0.0.1:{controller.port}")
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def client(postbox: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a shop that writes letters."""
    file = tmp_path_factory.mktemp("notices") / "shop.sqlite3"
    with opened(file, smtp_url=postbox.url, operations_password="watch") as client:
        yield client


def place(client: TestClient, email: str) -> dict[str, Any]:
    """Places an order."""
    body = order([line("ID-D-VS2-050", 1, client.get("/products/ID-D-VS2-050").json()["price"])])
    answer = client.post("/orders", json=body, headers=log_in(client, email))
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_customers_are_written_to(client: TestClient, postbox: SimpleNamespace) -> None:
    postbox.box.letters.clear()
    placed = place(client, DENVER)
    client.post(f"/orders/{placed['id']}/ship", headers=log_in(client, STAFF))
    account = {**TEN_LINES["ship_to"], "email": "new@example.com", "password": PASSWORD}
    client.post("/customers", json=account)
    told = [(letter["To"], letter["From"], letter["Subject"]) for letter in postbox.box.letters]
    assert told == [
        (DENVER, "orders@shop.example.com", f"Order {placed['reference']} was placed"),
        (DENVER, "orders@shop.example.com", f"Order {placed['reference']} was shipped"),
        ("new@example.com", "orders@shop.example.com", "Welcome to Loose diamonds"),
    ]


def test_a_letter_that_can_not_be_sent_fails_nothing_else(client: TestClient, postbox: SimpleNamespace) -> None:
    postbox.box.broken = True
    try:
        placed = place(client, DENVER)
    finally:
        postbox.box.broken = False
    audit = client.get("/admin/audit", params={"subject": f"order {placed['id']}"}, headers=log_in(client, STAFF))
    assert [entry["action"] for entry in audit.json()] == ["placed"]
    assert 'store_emails_total{result="failed"} 1.0' in client.get("/metrics", auth=("operations", "watch")).text


@pytest.mark.parametrize("path", ["/v1/orders/feed", "/v2/orders/feed", "/orders/feed"])
def test_a_customer_follows_their_own_orders_and_the_staff_all(client: TestClient, path: str) -> None:
    token = log_in(client, DENVER)["Authorization"].removeprefix("Bearer ")
    with (
        client.websocket_connect(path, subprotocols=["bearer", token]) as denver,
        client.websocket_connect(path, headers=log_in(client, STAFF)) as staff,
    ):
        assert denver.accepted_subprotocol == "bearer"
        placed = [place(client, email) for email in (CHICAGO, DENVER)]
        client.post(f"/orders/{placed[1]['id']}/cancel", headers=log_in(client, DENVER))
        denvers = [denver.receive_json() for _ in range(2)]
        staffs = [staff.receive_json() for _ in range(3)]
    assert [(told["event"], told["order_id"]) for told in staffs] == [
        ("placed", placed[0]["id"]),
        ("placed", placed[1]["id"]),
        ("cancelled", placed[1]["id"]),
    ]
    assert denvers == staffs[1:]
    assert (denvers[1]["status"], denvers[1]["total"]) == ("cancelled", placed[1]["total"])


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eA=="}, {"Sec-WebSocket-Protocol": "bearer"}],
)
def test_nobody_follows_orders_without_a_token_that_holds(client: TestClient, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/orders/feed", headers=headers):
        pass
    assert refused.value.code == 1008


def an_event(number: int) -> OrderEvent:
    """Returns an event of an order that belongs to customer 1."""
    return OrderEvent(
        event="placed",
        order_id=uuid4(),
        customer_id=1,
        reference=str(number),
        status=OrderStatus.PLACED,
        total=number,
        at=utc_now(),
    )


def test_who_does_not_keep_up_is_let_go_of_and_nobody_else() -> None:
    async def publish() -> tuple[list[str | None], int]:
        feed = LocalFeed()
        slow, quick = (feed.listening(lambda event: True) for _ in range(2))
        got = 0
        for number in range(BEHIND + 5):
            await feed.publish(an_event(number))
            got += await quick.next() is not None
        told = [await slow.next() for _ in range(BEHIND + 1)]
        feed.leave(slow)
        return [event and event.reference for event in told], got

    told, got = asyncio.run(publish())
    assert told == [*map(str, range(BEHIND)), None]
    assert got == BEHIND + 5


def test_what_nobody_wants_waits_for_nobody(tmp_path: Path) -> None:
    feed = LocalFeed()
    listener = feed.listening(lambda event: event.customer_id == 2)
    asyncio.run(feed.publish(an_event(1)))
    assert listener._waiting.empty()
