"""Parameter declarations, compared with FastAPI's."""
