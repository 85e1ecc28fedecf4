"""The service on fastapi."""

import fastapi

from .framework import build, build_with_middleware

app = build(fastapi)
middleware_app = build_with_middleware(fastapi)
