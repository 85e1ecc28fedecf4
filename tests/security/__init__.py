"""The security schemes, compared with FastAPI's."""
