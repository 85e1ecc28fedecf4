"""What another release of FastAPI changes (`make follow VERSION=...`)."""
