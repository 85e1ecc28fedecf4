"""The shop's application: ``uvicorn examples.store.main:app`` from the repository's root serves it.

``create_app`` makes one for given settings, which is what the tests use; ``app`` is the one that reads its settings
from the environment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ferrapi import Depends, FastAPI

from .api import health, home, login, oauth, operations, v1, v2
from .api.versions import AcceptVersion
from .dependencies import TOO_MANY, Limited
from .errors import install_error_handlers
from .services.metrics import Measured, Metrics
from .services.shop import open_shop
from .settings import Settings

DESCRIPTION = """
A wholesaler of loose diamonds: search the catalogue, sign up, log in, place orders.

Prices are US dollars, times carry their zone, and every refusal says why. `/v1` and `/v2` are versions of the same
shop; a path without one is the version that the header `Accept-Version` names, or the first.
"""

TAGS = [
    {"name": "catalogue", "description": "Searching and looking at products; no account needed."},
    {"name": "accounts", "description": "Signing up and logging in."},
    {"name": "orders", "description": "Placing, reading and cancelling orders."},
    {"name": "administration", "description": "For the shop's staff."},
    {"name": "operations", "description": "For the machines that watch the service."},
]
DOCS_CLIENT = {"clientId": "store-docs", "usePkceWithAuthorizationCodeGrant": True}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Opens the shop for as long as the application runs."""
    async with open_shop(app.state.settings, app.state.metrics) as shop:
        app.state.shop = shop
        yield


def create_app(settings: Settings | None = None) -> FastAPI:
    """Makes the application for ``settings``, or for those of the environment."""
    settings = settings or Settings()
    app = FastAPI(
        title="Loose diamonds",
        version="2.0.0",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        swagger_ui_init_oauth=DOCS_CLIENT,
        telemetry={"auto_configure": True} if settings.telemetry else None,
    )
    app.state.settings = settings
    app.state.metrics = metrics = Metrics()
    install_error_handlers(app)
    for module in (home, health, login, oauth, operations):
        app.include_router(module.router)
    for prefix, version in (("/v1", v1), ("/v2", v2)):
        app.include_router(version.router, prefix=prefix, dependencies=[Depends(Limited("api"))], responses=TOO_MANY)
    if hasattr(FastAPI, "app_dependency"):  # on ferrapi; the office is made with what FastAPI doesn't have
        from .office.application import create_office

        app.mount("/office", create_office(app))
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(AcceptVersion, subjects=v1.SUBJECTS, versions=("1", "2"))
    return app


app = create_app()
