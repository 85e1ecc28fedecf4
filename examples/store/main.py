"""The shop's application: ``uvicorn examples.store.main:app`` from the repository's root serves it.

``create_app`` makes one for given settings, which is what the tests use; ``app`` is the one that reads its settings
from the environment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ferrapi import FastAPI

from .database import Database
from .errors import install_error_handlers
from .routers import admin, auth, customers, health, home, orders, products, search
from .seed import prepare
from .settings import Settings

DESCRIPTION = """
A wholesaler of loose diamonds: search the catalogue, sign up, log in, place orders.

Prices are US dollars, times carry their zone, and every refusal says why.
"""

TAGS = [
    {"name": "catalogue", "description": "Searching and looking at products; no account needed."},
    {"name": "accounts", "description": "Signing up and logging in."},
    {"name": "orders", "description": "Placing, reading and cancelling orders."},
    {"name": "administration", "description": "For the shop's staff."},
    {"name": "operations", "description": "For the machines that watch the service."},
]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Opens the database, creates and fills it where that's needed, and closes it at the end."""
    settings: Settings = app.state.settings
    database = Database(settings.sqlalchemy_url())
    try:
        await prepare(database, settings)
        app.state.database = database
        yield
    finally:
        await database.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Makes the application for ``settings``, or for those of the environment."""
    app = FastAPI(
        title="Loose diamonds", version="1.0.0", description=DESCRIPTION, openapi_tags=TAGS, lifespan=lifespan
    )
    app.state.settings = settings or Settings()
    install_error_handlers(app)
    for module in (home, health, search, products, auth, customers, orders, admin):
        app.include_router(module.router)
    return app


app = create_app()
