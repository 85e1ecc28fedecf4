"""Differences from FastAPI that are known and open: the end of a test's id, and the behaviour that differs."""

_TESTS: dict[str, list[str]] = {}

OPEN: dict[str, str] = {name: reason for reason, names in _TESTS.items() for name in names}
