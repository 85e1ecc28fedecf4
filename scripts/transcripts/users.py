"""fastapi-users: its routers, over a store in memory."""

import uuid
from typing import Any

from asking import ask
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import BaseUserDatabase

SECRET = "a secret of more than thirty-two characters"


class User:
    def __init__(self, **values: Any) -> None:
        self.id = uuid.UUID(int=len(STORED) + 1)
        self.is_active, self.is_superuser, self.is_verified = True, False, False
        vars(self).update(values)


STORED: list[User] = []


class Database(BaseUserDatabase[User, uuid.UUID]):
    async def get(self, id: uuid.UUID) -> User | None:
        return next((user for user in STORED if user.id == id), None)

    async def get_by_email(self, email: str) -> User | None:
        return next((user for user in STORED if user.email == email), None)

    async def create(self, create_dict: dict[str, Any]) -> User:
        STORED.append(User(**create_dict))
        return STORED[-1]

    async def update(self, user: User, update_dict: dict[str, Any]) -> User:
        vars(user).update(update_dict)
        return user


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = verification_token_secret = SECRET


async def manager() -> Any:
    yield Manager(Database())


class Read(schemas.BaseUser[uuid.UUID]):
    pass


class Create(schemas.BaseUserCreate):
    pass


class Update(schemas.BaseUserUpdate):
    pass


backend = AuthenticationBackend("jwt", BearerTransport("login"), lambda: JWTStrategy(SECRET, 3600))
users = FastAPIUsers[User, uuid.UUID](manager, [backend])
app = FastAPI()
app.include_router(users.get_auth_router(backend), tags=["auth"])
app.include_router(users.get_register_router(Read, Create), prefix="/auth")
app.include_router(users.get_users_router(Read, Update), prefix="/users")


@app.get("/mine")
def mine(user: User = Depends(users.current_user(active=True))) -> str:
    return user.email


account = {"email": "me@example.com", "password": "of mine"}
ask(
    app,
    ("POST", "/auth/register", {"json": account}),
    ("POST", "/auth/register", {"json": account}),
    ("POST", "/auth/register", {"json": {"email": "nobody"}}),
    ("POST", "/login", {"data": {"username": "me@example.com", "password": "wrong"}}),
    ("POST", "/login", {"data": {"username": "me@example.com"}}),
    ("GET", "/mine"),
    ("GET", "/mine", {"headers": {"authorization": "Bearer nonsense"}}),
    ("GET", "/users/me"),
    ("POST", "/logout"),
)
