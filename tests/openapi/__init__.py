"""The document and the pages that show it, compared with FastAPI's."""
