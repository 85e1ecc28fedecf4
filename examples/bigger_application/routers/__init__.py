"""Routers for the public."""
