"""The shop's settings, read from ``STORE_*`` environment variables and from ``.env`` in the working directory."""

import secrets
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url

DEFAULT_DATABASE = Path(__file__).with_name("store.sqlite3")
ASYNC_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


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
    seed: bool = Field(default=True, description="Fill an empty database with the sample catalogue at start-up.")
    seed_password: SecretStr = Field(
        default=SecretStr("brilliant-cut"), description="The password of all sample accounts, the administrator's too."
    )
    token_secret: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        description="Signs the login tokens. Random per process unless set; set it to run several workers.",
    )
    token_lifetime: timedelta = Field(default=timedelta(hours=8), description="How long a login lasts.")
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
