"""`app.frontend()` and `router.frontend()`, beside FastAPI on the same directories."""
