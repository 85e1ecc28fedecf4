"""Starlette's application that serves a directory."""

from starlette.staticfiles import StaticFiles as StaticFiles
