"""The HTTP side, one module per subject; each has a ``router``."""
