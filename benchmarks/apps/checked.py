"""What peers use that have no validation or no dependencies of their own: pydantic's validators, and a guard.

A framework with declarations of its own uses those instead.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict

from .data import CATALOGUE, USERS, Order, Product, Receipt, calls, receipt

Users = Mapping[str, Mapping[str, Any]]


class Params(TypedDict):
    """The parameters of `/items/{item_id}`."""

    item_id: Annotated[int, Field(ge=0)]
    q: Annotated[str, Field(min_length=1, max_length=50)]
    limit: Annotated[int, Field(ge=1, le=100)]
    tag: str
    session: str


class Login(TypedDict):
    """The fields of the login form."""

    username: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=8)]


class Start(TypedDict):
    """The parameter of `/products`."""

    start: int


PARAMS = TypeAdapter(Params).validator
LOGIN = TypeAdapter(Login).validator
START = TypeAdapter(Start).validator
NUMBER = TypeAdapter(int).validator
PRODUCTS = TypeAdapter(list[Product])
ORDER = Order.__pydantic_validator__
RECEIPT = Receipt.__pydantic_validator__
RECEIPT_JSON = Receipt.__pydantic_serializer__


class Refused(Exception):
    """The guard lets nobody in: what to answer.

    Parameters:
        status: of the answer.
        detail: in its body.
        headers: in addition to the usual ones.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def present(**values: str | None) -> dict[str, str]:
    """Return the values that were sent."""
    return {name: value for name, value in values.items() if value is not None}


def pairs(encoded: bytes) -> dict[str, str]:
    """Read a query string or a urlencoded form."""
    return dict(parse_qsl(encoded.decode("latin-1"), keep_blank_values=True))


def problems(error: ValidationError | Iterable[Any], source: str) -> bytes:
    """Return the document that names what was wrong, with `source` (`body`, `query` ...) before each location."""
    errors = error.errors(include_url=False) if isinstance(error, ValidationError) else error
    return to_json({"detail": [{**item, "loc": (source, *item["loc"])} for item in errors]})


def receipt_json(body: bytes) -> bytes:
    """Validate an order, count the call, and return its validated receipt. Raises `ValidationError`."""
    asked = ORDER.validate_json(body)
    calls["order"] += 1
    return RECEIPT_JSON.to_json(RECEIPT.validate_python(receipt(asked)))


def login(body: bytes) -> dict[str, Any]:
    """Validate the form, count the call, and return the answer. Raises `ValidationError`."""
    form = LOGIN.validate_python(pairs(body))
    calls["login"] += 1
    return {"username": form["username"], "length": len(form["password"])}


def products_json(query: Mapping[str, str]) -> bytes:
    """Return 50 products, validated as a response model is. Raises `ValidationError`."""
    start = START.validate_python(dict(query))["start"]
    calls["products"] += 1
    return PRODUCTS.dump_json(PRODUCTS.validate_python(CATALOGUE[start : start + 50]))


def thing(number: str) -> dict[str, int]:
    """Validate the number in the path, count the call, and return the answer. Raises `ValidationError`."""
    value: int = NUMBER.validate_python(number)
    calls["thing"] += 1
    return {"number": value}


@contextmanager
def session() -> Iterator[Users]:
    """The outermost dependency: something that is opened before and closed after."""
    calls["session opened"] += 1
    try:
        yield USERS
    finally:
        calls["session closed"] += 1


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header. Raises `Refused`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, "Not authenticated", {"www-authenticate": "Bearer"})
    return token


def user(users: Users, token: str) -> Mapping[str, Any]:
    """Who has the token. Raises `Refused`."""
    if token not in users:
        raise Refused(401, "Unknown token")
    calls["user"] += 1
    return users[token]


def staff(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user, if it is one of the staff. Raises `Refused`."""
    if user["role"] != "staff":
        raise Refused(403, "Not for you")
    return user


def guarded(authorization: str | None) -> dict[str, Any]:
    """All three levels, the call counted, and the answer. Raises `Refused`."""
    with session() as users:
        who = staff(user(users, bearer_token(authorization)))
        calls["guarded"] += 1
        return {"id": who["id"], "name": who["name"]}
