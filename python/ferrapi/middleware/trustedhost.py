"""Starlette's middleware for checking the Host header."""

from starlette.middleware.trustedhost import TrustedHostMiddleware as TrustedHostMiddleware
