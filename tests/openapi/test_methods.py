"""A route of several methods: in which order they are described, and which one its unique id is named after.

It is the order of a set, which depends on how that was made. So one document per order of declaration is compared.
"""

import itertools
import json
import warnings

from support.frameworks import BOTH, Framework

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


def document(fw: Framework) -> str:
    """The document of routes with many orders of methods: of the application, of a router, of a router in that."""
    app, router, outer = fw.FastAPI(), fw.APIRouter(), fw.APIRouter()

    def endpoint() -> None: ...

    for count in range(2, len(METHODS) + 1):
        for number, methods in enumerate(itertools.islice(itertools.permutations(METHODS, count), 40)):
            for owner in (app, router, outer):
                owner.api_route(f"/{type(owner).__name__}/{count}/{number}", methods=list(methods))(endpoint)
    outer.include_router(router, prefix="/inner")
    app.include_router(outer, prefix="/outer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the methods of a route share its unique id
        return json.dumps(app.openapi())


def test_methods_are_described_in_the_order_of_fastapi() -> None:
    theirs, ours = (document(fw) for fw in BOTH)
    assert ours == theirs
