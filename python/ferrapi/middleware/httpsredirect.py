"""Starlette's middleware for redirecting to HTTPS."""

from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware as HTTPSRedirectMiddleware
