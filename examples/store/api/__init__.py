"""The HTTP side: what has no version here, each version of the API in a package of its own; no SQL."""
