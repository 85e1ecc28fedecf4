"""sqladmin: the admin pages of an application, and the application beside them."""

from asking import ask
from fastapi import FastAPI
from sqladmin import Admin, ModelView
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Users(ModelView, model=User):
    column_list = ["id", "name"]


engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Base.metadata.create_all(engine)
app = FastAPI()
Admin(app, engine).add_view(Users)


@app.get("/items/{n}")
def item(n: int) -> int:
    return n


ask(
    app,
    ("GET", "/admin/"),
    ("POST", "/admin/user/create", {"data": {"name": "me"}}),
    ("GET", "/admin/user/list"),
    ("GET", "/admin/user/details/1"),
    ("GET", "/admin/nothing/list"),
    ("GET", "/items/3"),
    ("GET", "/items/x"),
)
