"""What the how-to pages show runs."""

from pathlib import Path

import pytest

from tests.support.pages import DOCS, run_page

PAGES = sorted(str(page.relative_to(DOCS)) for page in Path(DOCS, "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_each_page_runs_from_its_first_block_to_its_last(page: str) -> None:
    run_page(page)
