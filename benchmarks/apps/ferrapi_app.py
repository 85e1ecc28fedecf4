"""The service on ferrapi."""

import ferrapi

from .framework import build, build_with_middleware

app = build(ferrapi)
middleware_app = build_with_middleware(ferrapi)
