"""Starlette's middleware for compressed responses."""

from starlette.middleware.gzip import GZipMiddleware as GZipMiddleware
