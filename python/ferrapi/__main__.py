"""``python -m ferrapi``: the same as the command ``ferrapi``."""

from .cli import main

main()
