"""Starlette's Jinja2 templates; importing this needs the `jinja2` package."""

from starlette.templating import Jinja2Templates as Jinja2Templates
