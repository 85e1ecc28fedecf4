"""Routes as methods of a deployment, with ferrapi in FastAPI's place: ``serve run deploy.ray.views:counters``.

Ray imports `fastapi` itself, in the driver, the proxy and every replica. ``PYTHONPATH=deploy/ray/as_fastapi`` has a
``sitecustomize`` that puts ferrapi there first.
"""

from fastapi import FastAPI
from ray import serve

app = FastAPI(title="Counters")


@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.5})
@serve.ingress(app)
class Counters:
    """Each replica counts what it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    @app.get("/counts/{name}")
    async def count(self, name: str, step: int = 1) -> dict[str, int | str]:
        """Counts on, in the replica that answers."""
        self.asked += step
        return {"name": name, "asked": self.asked, "served_by": FastAPI.__module__}


counters = Counters.bind()
