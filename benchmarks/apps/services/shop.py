"""The store of `examples/store`, on the database that the environment names; `benchmarks.store` measures it."""

from examples.store.main import create_app
from examples.store.settings import Settings

app = create_app(Settings(rate_limit="", login_rate_limit=""))


@app.get("/calls", include_in_schema=False)
async def calls() -> dict[str, int]:
    """The store counts no calls; `benchmarks.load.server` asks whether it listens."""
    return {}
