"""fastapi-pagination: pages of an application's and of an included router's routes."""

from asking import ask
from fastapi import APIRouter, FastAPI
from fastapi_pagination import LimitOffsetPage, Page, add_pagination, paginate
from pydantic import BaseModel


class Item(BaseModel):
    name: str


ITEMS = [Item(name=f"item {number}") for number in range(120)]
app = FastAPI()
router = APIRouter(prefix="/included")


@app.get("/items")
def items() -> Page[Item]:
    return paginate(ITEMS)


@router.get("/items", response_model=LimitOffsetPage[Item])
async def included():
    return paginate(ITEMS)


app.include_router(router)
add_pagination(app)
ask(
    app,
    ("GET", "/items"),
    ("GET", "/items?page=3&size=50"),
    ("GET", "/items?page=0&size=1000"),
    ("GET", "/included/items?limit=2&offset=7"),
    ("GET", "/included/items?limit=-1"),
)
