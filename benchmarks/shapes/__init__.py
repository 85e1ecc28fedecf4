"""The shapes of real services, measured beside FastAPI: `python -m benchmarks.shapes --help`."""
