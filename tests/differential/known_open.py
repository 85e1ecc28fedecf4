"""Differences from FastAPI that are known and open: the end of a test's id, and the behaviour that differs."""

_TESTS: dict[str, list[str]] = {
    "solve_dependencies gives no values along with errors": [
        "TestPublicFunctions::test_solve_dependencies[a=x&r=2]",
        "TestPublicFunctions::test_solve_dependencies[]",
    ],
}

OPEN: dict[str, str] = {name: reason for reason, names in _TESTS.items() for name in names}
