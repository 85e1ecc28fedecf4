"""Routers for the library's own people."""
