"""The shop's settings, read from ``STORE_*`` environment variables and from ``.env`` in the working directory."""

import secrets
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url

DEFAULT_DATABASE = Path(__file__).with_name("shop.sqlite3")
ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
# The documentation page's own client: its codes go back to the page, on this machine at any port.
SAMPLE_CLIENTS = {"store-docs": [f"http://{host}/docs/oauth2-redirect" for host in ("127.0.0.1", "localhost")]}


class Currency(StrEnum):
    """The currencies that search can show prices in. The shop itself charges US dollars."""

    USD = "USD"
    EUR = "EUR"
    GBP = "GBP"
    JPY = "JPY"


# Sample rates for the example, not live ones: units of the currency for one US dollar.
SAMPLE_RATES = {
    Currency.USD: Decimal("1"),
    Currency.EUR: Decimal("0.90"),
    Currency.GBP: Decimal("0.78"),
    Currency.JPY: Decimal("150"),
}


class Settings(BaseSettings):
    """Everything about a deployment that is not code. Each field is set by ``STORE_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="STORE_", env_file=".env", extra="ignore")

    database_url: str = Field(
        default=f"sqlite:///{DEFAULT_DATABASE}",
        description="SQLAlchemy URL. Plain sqlite and postgresql URLs get their asyncio driver by themselves.",
    )
    database_pool: int = Field(default=10, ge=1, description="Connections to PostgreSQL that a process keeps open.")
    migrate: bool = Field(default=True, description="Bring the tables up to date at start-up (alembic upgrade head).")
    seed: bool = Field(default=True, description="Fill an empty database with the sample catalogue at start-up.")
    seed_password: SecretStr = Field(
        default=SecretStr("brilliant-cut"), description="The password of all sample accounts, the administrator's too."
    )
    token_secret: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        min_length=32,
        description="Signs the access tokens. Random per process unless set; set it to run several workers.",
    )
    token_lifetime: timedelta = Field(default=timedelta(minutes=15), description="How long an access token holds.")
    refresh_lifetime: timedelta = Field(default=timedelta(days=30), description="How long a refresh token holds.")
    oauth_clients: dict[str, list[str]] = Field(
        default=SAMPLE_CLIENTS, description="OAuth2 clients without a secret, and where their codes may be sent."
    )
    operations_user: str = Field(default="operations", description="Who may read /metrics (HTTP Basic).")
    operations_password: SecretStr | None = Field(default=None, description="Without one, nobody may.")
    rate_limit: str = Field(default="1200/minute", description="Of one client's address, on the API. Empty: none.")
    login_rate_limit: str = Field(default="20/minute", description="Of one client's address, on what takes passwords.")
    redis_url: str | None = Field(
        default=None, description="Shares rate limits and the order feed between processes: redis://host:6379/0"
    )
    smtp_url: str | None = Field(
        default=None, description="smtp://user:password@host:587 or smtps://…; without one, e-mail is only logged."
    )
    mail_from: str = Field(default="orders@shop.example.com", description="The sender of the shop's e-mail.")
    telemetry: bool = Field(
        default=False, description="Send traces, metrics and logs to OTEL_EXPORTER_OTLP_ENDPOINT (OpenTelemetry)."
    )
    import_rows: int = Field(default=10_000, ge=1, le=30_000, description="How many products one import may hold.")
    report_age: timedelta = Field(default=timedelta(seconds=30), description="How old the office's figures may be.")
    exchange_rates: dict[Currency, Decimal] = Field(
        default=SAMPLE_RATES, description="Units of each currency for one US dollar, as a JSON object."
    )

    def sqlalchemy_url(self) -> URL:
        """Returns ``database_url`` with an asyncio driver filled in where it names none.

        Raises:
            sqlalchemy.exc.ArgumentError: the URL cannot be read.
        """
        url = make_url(self.database_url)
        return url.set(drivername=ASYNC_DRIVERS.get(url.drivername, url.drivername))
