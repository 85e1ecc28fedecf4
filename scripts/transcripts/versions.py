"""cadwyn: two versions of one application, with a changed schema and a changed endpoint."""

import datetime

from asking import ask
from cadwyn import (
    Cadwyn,
    HeadVersion,
    RequestInfo,
    ResponseInfo,
    Version,
    VersionBundle,
    VersionChange,
    VersionedAPIRouter,
    convert_request_to_next_version_for,
    convert_response_to_previous_version_for,
    endpoint,
    schema,
)
from fastapi import Depends
from pydantic import BaseModel


class UserCreate(BaseModel):
    addresses: list[str]


class UserRead(UserCreate):
    id: int


router, inner = VersionedAPIRouter(prefix="/users"), VersionedAPIRouter()


def page(page: int = 1) -> int:
    return page


@router.post("", response_model=UserRead)
async def create(user: UserCreate, page: int = Depends(page)):
    return {"id": page, "addresses": user.addresses}


@router.get("/{user_id}", response_model=UserRead)
async def read(user_id: int):
    return {"id": user_id, "addresses": ["one", "two"]}


@inner.delete("/{user_id}")
def remove(user_id: int) -> str:
    return f"removed {user_id}"


router.include_router(inner, prefix="/inner")


class AddressBecameList(VersionChange):
    description = "A user has several addresses."
    instructions_to_migrate_to_previous_version = (
        schema(UserCreate).field("addresses").didnt_exist,
        schema(UserCreate).field("address").existed_as(type=str),
        endpoint("/users/inner/{user_id}", ["DELETE"]).didnt_exist,
    )

    @convert_request_to_next_version_for(UserCreate)
    def to_list(request: RequestInfo):
        request.body["addresses"] = [request.body.pop("address")]

    @convert_response_to_previous_version_for(UserRead)
    def to_one(response: ResponseInfo):
        response.body["address"] = response.body.pop("addresses")[0]


app = Cadwyn(
    versions=VersionBundle(
        HeadVersion(),
        Version(datetime.date(2026, 2, 1), AddressBecameList),
        Version(datetime.date(2026, 1, 1)),
    )
)
app.generate_and_include_versioned_routers(router)
for version in ("2026-01-01", "2026-02-01"):
    headers = {"x-api-version": version}
    ask(
        app,
        ("POST", "/users?page=3", {"json": {"address": "one"}, "headers": headers}),
        ("POST", "/users", {"json": {"addresses": ["one"]}, "headers": headers}),
        ("GET", "/users/5", {"headers": headers}),
        ("GET", "/users/x", {"headers": headers}),
        ("DELETE", "/users/inner/5", {"headers": headers}),
        ("GET", f"/openapi.json?version={version}"),
        document=False,
    )
