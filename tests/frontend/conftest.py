"""Directories as a front end's build might leave them."""

import os
from pathlib import Path

import pytest

_FILES = {
    "outside.txt": "outside",
    "shop-old/leak.txt": "leak",
    "shop/index.html": "<h1>shop</h1>",
    "shop/main.js": "start()",
    "shop/.well-known/it": "dotted",
    "shop/with space.txt": "space",
    "shop/cart/index.html": "<h1>cart</h1>",
    "shop/pictures/cat.svg": "<svg/>",
    "shop/desk/note.txt": "the shop's note",
    "desk/index.html": "<h1>desk</h1>",
    "desk/404.html": "<h1>no such desk</h1>",
    "desk/note.txt": "the desk's note",
    "lost/404.html": "<h1>lost</h1>",
    "bare/main.js": "bare()",
    "odd/index.html/inner.txt": "an index.html that is a directory",
    "odd/404.html/inner.txt": "a 404.html that is a directory",
}


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all directories. Each file is as old as the others, so that both packages see one age."""
    root = tmp_path_factory.mktemp("sites")
    for name, content in _FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        os.utime(file, (1_700_000_000, 1_700_000_000))
    (root / "shop/escape.txt").symlink_to(root / "outside.txt")
    (root / "shop/alias.js").symlink_to("main.js")
    (root / "empty").mkdir()
    os.mkfifo(root / "shop/pipe")
    return root
