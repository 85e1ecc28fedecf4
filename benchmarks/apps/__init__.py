"""The same service written for each peer. `framework.py` serves FastAPI and ferrapi, `asgi_app.py` is by hand."""
