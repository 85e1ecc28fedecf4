"""The tables, as SQLAlchemy 2 declarative classes."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from .columns import Hundredths, UtcDateTime


def utc_now() -> datetime:
    """Returns the present moment with its zone."""
    return datetime.now(UTC)


class Role(StrEnum):
    """What an account may do: buy; see and ship everybody's orders; everything."""

    CUSTOMER = "customer"
    CLERK = "clerk"
    ADMIN = "admin"


class OrderStatus(StrEnum):
    """Where an order is in its life: placed, then shipped or cancelled."""

    PLACED = "placed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Base(DeclarativeBase):
    """The declarative base; its metadata is the shop's schema."""


class Product(Base):
    """A parcel of like stones. The price is in US dollars for one stone, the stock a number of stones."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(16), index=True)
    color: Mapped[str] = mapped_column(String(1))
    clarity: Mapped[str] = mapped_column(String(4))
    carat: Mapped[Decimal] = mapped_column(Hundredths)
    price: Mapped[Decimal] = mapped_column(Hundredths, index=True)
    stock: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Customer(Base):
    """A trade customer, or the shop's own staff."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(String(16), default=Role.CUSTOMER)
    password_hash: Mapped[str] = mapped_column(String(200))
    line1: Mapped[str] = mapped_column(String(120))
    city: Mapped[str] = mapped_column(String(80))
    state: Mapped[str | None] = mapped_column(String(80))
    postal_code: Mapped[str | None] = mapped_column(String(16))
    country: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Order(Base):
    """An order with its lines and the delivery address as it was when the order was placed."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("customer_id", "reference", name="reference_once_per_customer"),
        Index("orders_by_time", "placed_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    reference: Mapped[str] = mapped_column(String(40))
    status: Mapped[OrderStatus] = mapped_column(String(16), default=OrderStatus.PLACED)
    total: Mapped[Decimal] = mapped_column(Hundredths)
    ship_name: Mapped[str] = mapped_column(String(120))
    ship_line1: Mapped[str] = mapped_column(String(120))
    ship_city: Mapped[str] = mapped_column(String(80))
    ship_state: Mapped[str | None] = mapped_column(String(80))
    ship_postal_code: Mapped[str | None] = mapped_column(String(16))
    ship_country: Mapped[str] = mapped_column(String(3))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    lines: Mapped[list["OrderLine"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="OrderLine.position"
    )

    @property
    def ship_to(self) -> dict[str, str | None]:
        """Returns the delivery address in the shape of the API's ``Address``."""
        return {
            "name": self.ship_name,
            "line1": self.ship_line1,
            "city": self.ship_city,
            "state": self.ship_state,
            "postal_code": self.ship_postal_code,
            "country": self.ship_country,
        }


class OrderLine(Base):
    """One product of an order, with the name and the price it had."""

    __tablename__ = "order_lines"

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Hundredths)


class AuditEntry(Base):
    """Who did what, written by background tasks after the answer has been sent."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    actor: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    detail: Mapped[str] = mapped_column(Text)


class RefreshToken(Base):
    """A refresh token, as its digest. Each is used once and followed by one of the same family (RFC 9700, 4.14.2)."""

    __tablename__ = "refresh_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    family: Mapped[uuid.UUID] = mapped_column(index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    client_id: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuthorizationCode(Base):
    """A code that an OAuth2 client exchanges for tokens, as its digest; removed when it is used."""

    __tablename__ = "authorization_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    client_id: Mapped[str] = mapped_column(String(80))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    challenge: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
