"""starlette-admin: pages and forms over a database with its tokens against forgery, and the application beside them."""

import re

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool
from starlette_admin.contrib.sqla import Admin, ModelView


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    pages: Mapped[int]


engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
Base.metadata.create_all(engine)
app = FastAPI()
admin = Admin(engine, title="Books")
admin.add_view(ModelView(Book))
admin.mount_to(app)


@app.get("/items/{n}")
def item(n: int) -> int:
    return n


_CHANGING = re.compile(r"expires=[^;]*GMT|(?<=csrftoken[=\"])[\w.-]+|(?<=flash=)[\w.-]+|(?<=value=\")\.[\w.-]{40,}")
"""Times and tokens."""


def main() -> None:
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.get("/admin/")
        token = {"X-CSRFToken": client.cookies["starlette_admin_csrftoken"]}
        for method, path, *options in (
            ("GET", "/admin/"),
            ("GET", "/admin/book/list"),
            ("POST", "/admin/book/create", {"data": {"title": "Emma", "pages": "474"}, "headers": token}),
            ("POST", "/admin/book/create", {"data": {"title": "", "pages": "many"}, "headers": token}),
            ("POST", "/admin/book/create", {"data": {"title": "Forged", "pages": "1"}}),
            ("GET", "/admin/book/list"),
            ("GET", "/admin/book/detail?pk=1"),
            ("GET", "/admin/book/edit?pk=1"),
            ("POST", "/admin/book/edit?pk=1", {"data": {"title": "Ulysses", "pages": "730"}, "headers": token}),
            ("GET", "/admin/book/detail?pk=1"),
            ("GET", "/admin/nothing/list"),
            ("GET", "/admin/static/css/panel_widget.css?v=1"),
            ("GET", "/items/3"),
            ("GET", "/items/x"),
        ):
            answer = client.request(method, path, **(options[0] if options else {}))
            headers = {name: value for name, value in answer.headers.items() if name not in ("date", "content-length")}
            print(method, path, answer.status_code, _CHANGING.sub("", f"{headers} {answer.text}"))
    print(app.openapi())


main()
