"""Starlette's middleware under fastapi's module names; `Middleware` pairs a class with its arguments."""

from starlette.middleware import Middleware as Middleware
