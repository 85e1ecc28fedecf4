"""The code blocks of a page of documentation, run one after the other as one module."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[str]:
    """The code blocks of a page, which is named from the folder of all pages."""
    return _BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


def run_page(page: str) -> ModuleType:
    """Run all blocks of a page; answer the module that they make together."""
    module = ModuleType(f"page_{Path(page).stem.replace('-', '_')}")
    sys.modules[module.__name__] = module  # where annotations are looked up
    for number, block in enumerate(blocks(page), 1):
        exec(compile(block, f"{page}, block {number}", "exec"), module.__dict__)
    return module
