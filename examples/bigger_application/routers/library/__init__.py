"""The library: books and readers, and under each reader their loans."""

from ferrapi import APIRouter

from . import books, loans, readers

readers.router.include_router(loans.router, prefix="/{card}/loans")

router = APIRouter(prefix="/library")
router.include_router(books.router, prefix="/books", tags=["books"])
router.include_router(readers.router, prefix="/readers", tags=["readers"])
