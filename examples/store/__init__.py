"""A small real shop API on ferrapi: a wholesaler of loose diamonds. Start with ``README.md`` and ``main.py``."""
