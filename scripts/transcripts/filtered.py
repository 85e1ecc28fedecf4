"""fastapi-filter: filters, order and search of a list, from models of query parameters that contain each other."""

from asking import ask
from fastapi import Depends, FastAPI
from fastapi_filter import FilterDepends, with_prefix
from fastapi_filter.contrib.sqlalchemy import Filter
from pydantic import Field
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Address(Base):
    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str]


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    age: Mapped[int]
    address_id: Mapped[int] = mapped_column(ForeignKey("addresses.id"))
    address: Mapped[Address] = relationship()


class AddressFilter(Filter):
    city: str | None = None
    city__in: list[str] | None = None

    class Constants(Filter.Constants):
        model = Address


class UserFilter(Filter):
    name: str | None = None
    name__ilike: str | None = None
    age__lt: int | None = None
    age__gte: int = Field(Depends(lambda: 0))
    age__in: list[int] | None = None
    address: AddressFilter | None = FilterDepends(with_prefix("address", AddressFilter), by_alias=True)
    order_by: list[str] = ["age"]
    search: str | None = None

    class Constants(Filter.Constants):
        model = User
        search_model_fields = ["name"]


class Renamed(Filter):
    name: str | None = Field(default=None, alias="n")

    class Constants(Filter.Constants):
        model = User


engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Address(id=1, city="Oslo"), Address(id=2, city="Rome")])
    people = [("Ann", 31, 1), ("Bob", 25, 2), ("Anders", 47, 1)]
    session.add_all(User(name=name, age=age, address_id=place) for name, age, place in people)
    session.commit()
app = FastAPI()


def found(chosen: Filter) -> list[str]:
    with Session(engine) as session:
        query = chosen.filter(select(User).join(Address))
        if getattr(chosen, "order_by", None):
            query = chosen.sort(query)
        return [user.name for user in session.scalars(query)]


@app.get("/users")
def users(user_filter: UserFilter = FilterDepends(UserFilter)) -> list[str]:
    return found(user_filter)


@app.get("/renamed")
async def renamed(user_filter: Renamed = FilterDepends(Renamed, by_alias=True)) -> list[str]:
    return found(user_filter)


ask(
    app,
    ("GET", "/users"),
    ("GET", "/users?name=Ann"),
    ("GET", "/users?name__ilike=an&order_by=-age"),
    ("GET", "/users?age__in=25,47&order_by=name"),
    ("GET", "/users?age__lt=40&age__gte=26"),
    ("GET", "/users?address__city=Rome"),
    ("GET", "/users?address__city__in=Oslo,Rome&search=nn"),
    ("GET", "/users?age__lt=x"),
    ("GET", "/users?age__in=1,x"),
    ("GET", "/users?order_by=nothing"),
    ("GET", "/users?order_by=age,-age"),
    ("GET", "/renamed?n=Bob"),
    ("GET", "/renamed?name=Bob"),
)
