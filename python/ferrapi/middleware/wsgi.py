"""Starlette's middleware for running a WSGI application."""

from starlette.middleware.wsgi import WSGIMiddleware as WSGIMiddleware
