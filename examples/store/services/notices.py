"""What follows a change, after its answer has been sent: the audit log, the order feed, a letter to the customer."""

import logging
from dataclasses import dataclass

import aiosmtplib

from ..database import Database
from ..models import Customer, Order, utc_now
from ..repositories import audit, customers
from .feed import Feed, OrderEvent
from .mail import Mailer, letter
from .metrics import Metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notices:
    """Tells others; its methods are background tasks, which outlive the request's session."""

    database: Database
    feed: Feed
    mailer: Mailer
    metrics: Metrics
    sender: str

    async def signed_up(self, customer: Customer) -> None:
        """Welcomes a new customer."""
        await audit.record(self.database, customer.email, "signed up", f"customer {customer.id}", customer.name)
        await self.write(customer.email, "Welcome to Loose diamonds", f"Dear {customer.name},\n\nyou can order now.\n")

    async def order_changed(self, event: str, actor: Customer, order: Order, detail: str) -> None:
        """Tells of an order that was placed, cancelled or shipped, and writes to whom it belongs."""
        self.metrics.orders.labels(event).inc()
        told = OrderEvent(
            event=event,
            order_id=order.id,
            customer_id=order.customer_id,
            reference=order.reference,
            status=order.status,
            total=order.total,
            at=utc_now(),
        )
        await self.feed.publish(told)
        await audit.record(self.database, actor.email, event, f"order {order.id}", detail)
        if actor.id == order.customer_id:
            owner = actor
        else:
            async with self.database.sessions() as session:
                owner = await customers.get(session, order.customer_id)
        text = f"Dear {owner.name},\n\nyour order {order.reference} over {order.total} USD was {event}.\n"
        await self.write(owner.email, f"Order {order.reference} was {event}", text)

    async def write(self, to: str, subject: str, text: str) -> None:
        """Sends a letter; one that can't be sent is logged and counted, and nothing else fails with it."""
        try:
            await self.mailer.send(letter(self.sender, to, subject, text))
        except (aiosmtplib.SMTPException, OSError):
            logger.exception("no e-mail to %s", to)
            self.metrics.letters.labels("failed").inc()
        else:
            self.metrics.letters.labels("sent").inc()
