"""The store on Ray Serve: ``serve run deploy.ray.store:store`` from the repository's root.

``serve.ingress`` takes a function that makes an ASGI application: each replica makes its own, so nothing has to be
pickled, and the application's lifespan runs in the replica.
"""

from typing import Any

from ray import serve


def make_application() -> Any:
    """Makes the application, in the replica."""
    from examples.store.main import create_app

    return create_app()


@serve.deployment(num_replicas=2, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0.5})
@serve.ingress(make_application)
class Store:
    """Serves the API; it has no methods of its own."""


store = Store.bind()
