"""What the second version says otherwise than the first."""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar
from uuid import uuid4

from pydantic import BaseModel, Field

from ...models import Order, Product
from ...schemas import NO_NUL, Category, Clarity, Color, OrderIn, OrderOut, OrderSummary
from ...settings import Currency

Entry = TypeVar("Entry")


class Price(BaseModel):
    """An amount of money that says which."""

    amount: Decimal = Field(examples=["844.00"])
    currency: Currency = Currency.USD


class PagedList(BaseModel, Generic[Entry]):
    """One page of a list."""

    total: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="The path of the next page.")
    items: list[Entry]


class PricedProduct(BaseModel):
    """A product as the catalogue shows it."""

    sku: str
    name: str
    cut: Category
    color: Color
    clarity: Clarity
    carat: Decimal
    price: Price
    available: int

    @classmethod
    def of(cls, product: Product, currency: Currency = Currency.USD, rate: Decimal = Decimal(1)) -> "PricedProduct":
        """Reads a row, and shows its price in another currency."""
        smallest = Decimal(1) if currency == Currency.JPY else Decimal("0.01")
        return cls(
            sku=product.sku,
            name=product.name,
            cut=Category(product.category),
            color=Color(product.color),
            clarity=Clarity(product.clarity),
            carat=product.carat,
            price=Price(amount=(product.price * rate).quantize(smallest), currency=currency),
            available=product.stock,
        )


class NewOrder(OrderIn):
    """A new order; without a reference it gets one."""

    reference: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL)] = Field(
        default_factory=lambda: f"W-{uuid4().hex[:12].upper()}"
    )


class OrderEntry(OrderSummary):
    """An order in a list."""

    total: Price  # type: ignore[assignment]  # what this version says otherwise

    @classmethod
    def of(cls, order: Order) -> "OrderEntry":
        """Reads a row."""
        summary = OrderSummary.model_validate(order)
        return cls(**{**summary.model_dump(), "total": Price(amount=summary.total)})


class OrderAnswer(OrderOut):
    """An order with all its parts."""

    total: Price  # type: ignore[assignment]  # what this version says otherwise
    links: dict[str, str] = Field(description="What can be done with it now, and where.")

    @classmethod
    def of(cls, order: Order, path: str) -> "OrderAnswer":
        """Reads a row; ``path`` is the order's own."""
        whole = OrderOut.model_validate(order)
        links = {"self": path}
        if order.status == "placed":
            links["cancel"] = f"{path}/cancel"
        return cls(**{**whole.model_dump(), "total": Price(amount=whole.total), "links": links})
