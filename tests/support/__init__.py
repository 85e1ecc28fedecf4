"""What the tests share: the two packages side by side, a raw ASGI client, and comparing their answers."""
