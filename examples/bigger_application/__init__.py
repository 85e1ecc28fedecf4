"""An application spread over packages: nested routers, shared dependencies, overrides in tests."""
