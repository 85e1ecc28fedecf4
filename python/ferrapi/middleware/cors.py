"""Starlette's middleware for cross-origin resource sharing."""

from starlette.middleware.cors import CORSMiddleware as CORSMiddleware
