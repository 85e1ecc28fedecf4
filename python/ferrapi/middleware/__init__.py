"""Starlette's middleware under fastapi's module names; `Middleware` pairs a class with its arguments."""

from typing import TYPE_CHECKING

from starlette.middleware import Middleware as Middleware

from .._names import names_of

if not TYPE_CHECKING:  # a misspelt name stays an error for type checkers
    __getattr__ = names_of(__name__)
