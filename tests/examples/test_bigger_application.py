"""Nested routers, what includers add to them, and replacing their dependencies."""

from collections.abc import Iterator
from datetime import date

import pytest
from ferrapi.testclient import TestClient

from examples.bigger_application.dependencies import STAFF_KEY, get_shelf, get_today, require_card, require_staff
from examples.bigger_application.main import app
from examples.bigger_application.shelf import Loan, Shelf

EMMA = "9780141439587"
TODAY = date(2026, 3, 1)
CARD = {"X-Library-Card": "reader-7"}


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A shelf with one book, in the place of the application's, on a fixed day."""
    replaced = Shelf({EMMA: "Emma"})
    app.dependency_overrides[get_shelf] = lambda: replaced
    app.dependency_overrides[get_today] = lambda: TODAY
    yield replaced
    app.dependency_overrides.clear()


@pytest.fixture
def client(shelf: Shelf) -> TestClient:
    """A reader with a card."""
    return TestClient(app, headers=CARD)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/v1/library/books", 200),
        ("GET", f"/v1/library/books/{EMMA}", 200),
        ("GET", "/v1/library/books/1", 404),
        ("GET", "/v1/library/readers/me", 200),
        ("GET", "/v1/library/readers/reader-7/loans", 200),
        ("GET", "/v1/library/readers/reader-8/loans", 403),
        ("PUT", "/v1/library/readers/reader-7/loans/1", 404),
        ("DELETE", f"/v1/library/readers/reader-7/loans/{EMMA}", 404),
        ("POST", f"/v1/library/readers/reader-7/loans/{EMMA}", 405),
        ("GET", "/library/books", 404),
        ("GET", "/overdue", 404),
        ("GET", "/staff/overdue", 403),
    ],
)
def test_each_router_is_where_it_was_included(client: TestClient, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_a_book_goes_out_and_comes_back(client: TestClient, shelf: Shelf) -> None:
    loans = "/v1/library/readers/reader-7/loans"
    lent = client.put(f"{loans}/{EMMA}")
    assert (lent.status_code, lent.json()) == (201, {"isbn": EMMA, "card": "reader-7", "due": "2026-03-22"})
    again = client.put(f"{loans}/{EMMA}")
    assert (again.status_code, again.json()) == (409, {"detail": "Emma is lent until 2026-03-22"})
    assert client.get(f"/v1/library/books/{EMMA}").json()["in"] is False
    assert client.get(loans).json() == [lent.json()]
    assert client.delete(f"{loans}/{EMMA}").status_code == 204
    assert shelf.loans == {}


def test_the_includers_dependency_guards_the_staff_router(client: TestClient, shelf: Shelf) -> None:
    shelf.loans[EMMA] = Loan(EMMA, "reader-1", date(2026, 2, 28))
    assert client.get("/staff/overdue").status_code == 403
    known = client.get("/staff/overdue", headers={"X-Staff-Key": STAFF_KEY})
    assert [loan["card"] for loan in known.json()] == ["reader-1"]
    app.dependency_overrides[require_staff] = lambda: None
    assert client.get("/staff/overdue").status_code == 200


def test_the_applications_dependency_guards_every_router(shelf: Shelf) -> None:
    anonymous = TestClient(app)
    refused = [anonymous.get(path) for path in ("/", "/v1/library/books", "/staff/overdue")]
    assert [[error["loc"] for error in answer.json()["detail"]] for answer in refused[:2]] == [
        [["header", "x-library-card"]]
    ] * 2
    assert refused[2].status_code == 403
    app.dependency_overrides[require_card] = lambda: "reader-9"
    assert anonymous.get("/v1/library/readers/me").json() == {"card": "reader-9"}


def test_the_document_shows_prefixes_tags_and_responses() -> None:
    paths = app.openapi()["paths"]
    assert paths["/v1/library/books"]["get"]["tags"] == ["books"]
    assert paths["/v1/library/readers/{card}/loans"]["get"]["tags"] == ["readers", "loans"]
    assert "403" in paths["/staff/overdue"]["get"]["responses"]
