"""What goes over the wire: request bodies, response models and the few value types they share."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, SecretStr, model_validator

from .models import OrderStatus, Role
from .settings import Currency

# PostgreSQL can't store the character NUL, so no text may hold it.
NO_NUL = r"^[^\x00]*$"


def in_utc(moment: datetime) -> datetime:
    """Converts to UTC, where the first and the last hours of the calendar may lie outside of it (``ValueError``)."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment is outside of the calendar") from error


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
Money = Annotated[
    Decimal, Field(ge=0, max_digits=12, decimal_places=2, description="US dollars and cents.", examples=["844.00"])
]
Total = Annotated[Decimal, Field(description="US dollars and cents.", examples=["23359.00"])]
RowId = Annotated[int, Field(ge=1, lt=2**31)]
SKU_PATTERN = r"^[A-Z0-9]+(-[A-Z0-9]+)*$"
Sku = Annotated[str, Field(pattern=SKU_PATTERN, max_length=32, examples=["ID-E-VS2-000"])]
Carat = Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=2, description="The weight of one stone.")]
Stock = Annotated[int, Field(ge=0, le=1_000_000, description="How many stones there are.")]


class Category(StrEnum):
    """How well a stone is cut, from worst to best."""

    FAIR = "Fair"
    GOOD = "Good"
    VERY_GOOD = "Very Good"
    PREMIUM = "Premium"
    IDEAL = "Ideal"


class Color(StrEnum):
    """A stone's colour, from D (none) to J (a tint)."""

    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741  # the trade's own name for the colour
    J = "J"


class Clarity(StrEnum):
    """How free of inclusions a stone is, from I1 (included) to IF (internally flawless)."""

    I1 = "I1"
    SI2 = "SI2"
    SI1 = "SI1"
    VS2 = "VS2"
    VS1 = "VS1"
    VVS2 = "VVS2"
    VVS1 = "VVS1"
    IF = "IF"


class Sort(StrEnum):
    """The orders that search can list products in; a minus means the largest first."""

    NAME = "name"
    PRICE = "price"
    PRICE_DOWN = "-price"
    CARAT = "carat"
    CARAT_DOWN = "-carat"


class FromRow(BaseModel):
    """A response model that is read from a table's row."""

    model_config = ConfigDict(from_attributes=True)


class StrictBody(BaseModel):
    """A request body that refuses fields it doesn't know, so that a misspelt one is no silent default."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ProductIn(StrictBody):
    """A new product."""

    sku: Sku
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
    category: Category
    color: Color
    clarity: Clarity
    carat: Carat
    price: Money
    stock: Stock


class ProductPatch(StrictBody):
    """The parts of a product to change; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)] = ""
    price: Money = Decimal(0)
    stock: Stock = 0

    @model_validator(mode="after")
    def something_to_do(self) -> "ProductPatch":
        """Refuses an empty patch."""
        if not self.model_fields_set:
            raise ValueError("name at least one of name, price and stock")
        return self


class ProductOut(FromRow):
    """A product as the catalogue shows it."""

    sku: str
    name: str
    category: Category
    color: Color
    clarity: Clarity
    carat: Carat
    price: Money
    stock: int


class DisplayPrice(BaseModel):
    """A price in the currency that the client asked for."""

    amount: Decimal
    currency: Currency


class SearchHit(ProductOut):
    """A product that was found."""

    display_price: DisplayPrice
    recently_viewed: bool = Field(description="Whether this client's cookie says it looked at the product lately.")


class SearchResult(BaseModel):
    """One page of what was found."""

    total: int = Field(description="How many products match, on all pages.")
    items: list[SearchHit]


class Address(StrictBody):
    """Where goods go."""

    model_config = ConfigDict(from_attributes=True)

    name: Annotated[str, Field(min_length=1, max_length=120, pattern=NO_NUL)]
    line1: Annotated[str, Field(min_length=1, max_length=120, pattern=NO_NUL)]
    city: Annotated[str, Field(min_length=1, max_length=80, pattern=NO_NUL)]
    state: Annotated[str, Field(max_length=80, pattern=NO_NUL)] | None = None
    postal_code: Annotated[str, Field(max_length=16, pattern=NO_NUL)] | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 3166 alpha-3 code.", examples=["USA"])]


class CustomerIn(Address):
    """Somebody who signs up; the address is where their orders go."""

    email: EmailStr
    password: Annotated[SecretStr, Field(min_length=10, max_length=128)]


class CustomerOut(FromRow):
    """A customer as they and the staff see them."""

    id: int
    email: str
    role: Role
    name: str
    line1: str
    city: str
    state: str | None
    postal_code: str | None
    country: str
    created_at: datetime


class Token(BaseModel):
    """The answer to a login, and to OAuth2's token endpoint."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="Seconds until the access token expires.")
    refresh_token: str = Field(description="Good for one more answer like this one, from `/oauth/token`.")


class OrderLineIn(StrictBody):
    """One product of a new order, with the price that the customer was shown."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=1000)]
    unit_price: Money


class OrderIn(StrictBody):
    """A new order."""

    reference: Annotated[
        str, Field(min_length=1, max_length=40, pattern=NO_NUL, description="The customer's own order number.")
    ]
    ship_to: Address
    lines: Annotated[list[OrderLineIn], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def each_product_once(self) -> "OrderIn":
        """Refuses two lines for one product."""
        if len({line.sku for line in self.lines}) < len(self.lines):
            raise ValueError("each product may be on one line only")
        return self


class OrderLineOut(FromRow):
    """One product of an order."""

    position: int
    sku: str
    name: str
    quantity: int
    unit_price: Money


class OrderSummary(FromRow):
    """An order in a list."""

    id: UUID
    reference: str
    status: OrderStatus
    total: Total
    placed_at: datetime


class OrderOut(OrderSummary):
    """An order with all its parts."""

    customer_id: int
    ship_to: Address
    lines: list[OrderLineOut]


class OrderFilter(BaseModel):
    """Query parameters that narrow a list of orders; other parameters than these are refused."""

    model_config = ConfigDict(extra="forbid")

    status: OrderStatus | None = None
    placed_from: Moment | None = Field(default=None, description="With its zone, like 2026-01-31T00:00:00Z.")
    placed_before: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class AuditOut(FromRow):
    """A line of the audit log."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class Health(BaseModel):
    """The state of the service."""

    status: str
    database: str | None = None
