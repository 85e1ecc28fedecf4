"""sqladmin: pages with relations, actions and a view of one's own, open and behind a login, beside the application."""

from asking import ask
from fastapi import FastAPI
from sqladmin import Admin, BaseView, ModelView, action, expose
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import StaticPool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    pets: Mapped[list["Pet"]] = relationship(back_populates="owner")


class Pet(Base):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    owner: Mapped[User | None] = relationship(back_populates="pets")


class Users(ModelView, model=User):
    column_list = ["id", "name"]
    column_searchable_list = ["name"]
    column_sortable_list = ["name"]

    @action(name="greet", label="Greet")
    async def greet(self, request: Request) -> Response:
        return JSONResponse({"greeted": request.query_params["pks"]})


class Pets(ModelView, model=Pet):
    column_list = [Pet.id, Pet.name, "owner.name"]
    form_ajax_refs = {"owner": {"fields": ("name",), "order_by": "id"}}
    can_delete = False


class Report(BaseView):
    name = "Report"

    @expose("/report", methods=["GET"])
    async def report(self, request: Request) -> Response:
        return JSONResponse({"user": request.session.get("user")})


class Login(AuthenticationBackend):
    async def login(self, request: Request) -> bool | Response:
        form = await request.form()
        request.session["user"] = form["username"]
        return form["password"] == "secret"

    async def logout(self, request: Request) -> bool | Response:
        request.session.clear()
        return RedirectResponse("/admin/login", 302)

    async def authenticate(self, request: Request) -> bool:
        return "user" in request.session


def application(backend: AuthenticationBackend | None) -> FastAPI:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    app = FastAPI()
    admin = Admin(app, engine, authentication_backend=backend)
    for view in (Users, Pets, Report):
        admin.add_view(view)

    @app.get("/items/{n}")
    def item(n: int) -> int:
        return n

    return app


REQUESTS = (
    ("GET", "/admin/"),
    ("POST", "/admin/user/create", {"data": {"name": "me"}}),
    ("POST", "/admin/user/create", {"data": {}}),
    ("POST", "/admin/user/create", {"data": {"name": "you", "save": "Save and continue editing"}}),
    ("POST", "/admin/pet/create", {"data": {"name": "Rex", "owner": "1"}}),
    ("POST", "/admin/pet/create", {"files": {"name": (None, "Tom")}}),
    ("GET", "/admin/user/list"),
    ("GET", "/admin/user/list?search=me&sortBy=name&sort=desc&pageSize=10"),
    ("GET", "/admin/user/list?page=x"),
    ("GET", "/admin/user/details/1"),
    ("GET", "/admin/user/details/99"),
    ("GET", "/admin/pet/list"),
    ("GET", "/admin/pet/edit/1"),
    ("POST", "/admin/pet/edit/1", {"data": {"name": "Max"}}),
    ("GET", "/admin/pet/ajax/lookup?name=owner&term=m"),
    ("GET", "/admin/pet/ajax/lookup?name=nobody&term=m"),
    ("GET", "/admin/user/export/csv"),
    ("GET", "/admin/user/export/json"),
    ("GET", "/admin/user/action/greet?pks=1,2"),
    ("DELETE", "/admin/user/delete?pks=2"),
    ("DELETE", "/admin/pet/delete?pks=1"),
    ("GET", "/admin/report"),
    ("GET", "/admin/statics/css/main.css", {"headers": {"Range": "bytes=0-9"}}),
    ("GET", "/admin/nothing/list"),
    ("GET", "/admin"),
    ("GET", "/items/3"),
    ("GET", "/items/x"),
)
UNSHOWN = frozenset({"set-cookie", "last-modified", "etag", "content-disposition"})
"""What has a time in it, or the version of a file."""
ask(application(None), *REQUESTS, unshown=UNSHOWN)
ask(
    application(Login("key")),
    *REQUESTS[:3],
    ("GET", "/admin/report"),
    ("POST", "/admin/login", {"data": {"username": "ann", "password": "wrong"}}),
    ("POST", "/admin/login", {"data": {"username": "ann", "password": "secret"}, "follow_redirects": False}),
    *REQUESTS,
    ("GET", "/admin/logout"),
    ("GET", "/admin/user/list"),
    unshown=UNSHOWN,
)
