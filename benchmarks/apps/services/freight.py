"""What a freight forwarder books: the models of requests and answers, and the rows of its database.

The rows are SQLAlchemy objects that are in memory already, so that the cases measure a framework and no database.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

calls: Counter[str] = Counter()
"""How often each handler and dependency ran."""

FIRST_DAY = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
VAT = Decimal("0.19")


class Service(Enum):
    """How fast something travels."""

    ECONOMY = "economy"
    STANDARD = "standard"
    EXPRESS = "express"


class Place(BaseModel):
    """Where something is fetched or brought."""

    company: Annotated[str, Field(min_length=2, max_length=60)]
    street: str
    postcode: Annotated[str, Field(pattern=r"^[0-9A-Z -]{3,10}$")]
    country: Annotated[str, Field(min_length=2, max_length=2)]

    @field_validator("country")
    @classmethod
    def in_capitals(cls, value: str) -> str:
        """Countries are written in capitals."""
        return value.upper()


class Piece(BaseModel):
    """One pallet, crate or parcel."""

    barcode: UUID
    kilograms: Annotated[Decimal, Field(gt=0, max_digits=8, decimal_places=2)]
    declared: Annotated[Decimal, Field(ge=0, decimal_places=2)]
    fragile: bool = False


class Booking(BaseModel):
    """What a customer asks for."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    service: Service
    pickup: Place
    delivery: Place
    ready: datetime
    latest: datetime
    pieces: Annotated[list[Piece], Field(min_length=1, max_length=40)]
    handling: set[str] = Field(default_factory=set)
    remark: str | None = None

    @model_validator(mode="after")
    def in_order(self) -> "Booking":
        """Nothing is delivered before it is ready."""
        if self.latest <= self.ready:
            raise ValueError("the latest delivery must be after the pickup")
        return self


class Charge(BaseModel):
    """One line of the price."""

    label: str
    net: Decimal


class Confirmation(BaseModel):
    """The answer to a booking."""

    id: UUID
    service: Service
    departs: datetime
    due: date
    kilograms: Decimal
    charges: list[Charge]
    gross: Decimal
    handling: list[str]
    tracking: str


class Base(DeclarativeBase):
    """The tables."""


class CarrierRow(Base):
    """Who drives."""

    __tablename__ = "carriers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class ShipmentRow(Base):
    """What is on its way."""

    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str]
    state: Mapped[str]
    kilograms: Mapped[Decimal]
    insured: Mapped[bool]
    booked_at: Mapped[datetime]
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carriers.id"))
    carrier: Mapped[CarrierRow] = relationship()
    internal_note: Mapped[str]


class Carrier(BaseModel):
    """What is shown of a carrier."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


State = Literal["planned", "moving", "delivered"]


class Shipment(BaseModel):
    """What is shown of a shipment."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    reference: str
    state: State
    kilograms: Decimal
    insured: bool
    booked_at: datetime
    carrier: Carrier


class Line(BaseModel):
    """What a list shows of a shipment."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    reference: str
    state: State
    kilograms: Decimal
    insured: bool
    booked_at: datetime
    carrier_id: int


class Search(BaseModel):
    """Which shipments are wanted."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    since: date | None = None
    carriers: list[int] = []
    order: Literal["oldest", "newest"] = "oldest"
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 20


CARRIERS = [CarrierRow(id=n, name=f"Spedition {n} & Co.") for n in range(7)]
SHIPMENTS = [
    ShipmentRow(
        id=n,
        reference=f"AWB-{n:07}",
        state=("planned", "moving", "delivered")[n % 3],
        kilograms=Decimal(n * 37 % 9000) / 10,
        insured=n % 4 == 0,
        booked_at=FIRST_DAY + timedelta(minutes=37 * n),
        carrier_id=n % 7,
        carrier=CARRIERS[n % 7],
        internal_note="not shown",
    )
    for n in range(1100)
]
BY_STATE = {state: [row for row in SHIPMENTS if row.state == state] for state in get_args(State)}
USERS = {f"eyJ.{n:04}.sig": {"id": n, "name": f"dispatcher{n}", "active": True} for n in range(64)}


def confirmation(booking: Booking) -> dict[str, Any]:
    """Price a booking."""
    kilograms = sum((piece.kilograms for piece in booking.pieces), Decimal(0))
    nets = {"freight": kilograms * 2, "handling": Decimal(len(booking.handling))}
    return {
        "id": booking.id,
        "service": booking.service,
        "departs": booking.ready + timedelta(hours=4),
        "due": booking.latest.date(),
        "kilograms": kilograms,
        "charges": [{"label": label, "net": net} for label, net in nets.items()],
        "gross": sum(nets.values(), Decimal(0)) * (1 + VAT),
        "handling": sorted(booking.handling),
        "tracking": f"T{booking.id.hex[:10]}",
        "margin": "not shown",
    }
