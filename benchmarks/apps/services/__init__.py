"""Services as they run in production, each in the shape of one or more cases of `benchmarks.shapes`.

They are written on ferrapi, as a user would write them. `benchmarks.apps.on_fastapi` is the same package with the
import changed. Each module has one or more applications; every one of them shows its counters at `/calls`.
"""
