"""What MkDocs asks of this project while it builds the site (`hooks` of mkdocs.yml).

Pages link to files of the repository that are no pages (`../benchmarks/README.md`). Those that readers of the site need
become pages here; links to the others become plain text, since the site may be read where there is no repository. And a
page that would load something from another host fails the build.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
FROM_OUTSIDE = {
    "CONTRIBUTING.md": "project/contributing.md",
    "STYLE.md": "project/style.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "python/ferrapi/openapi/assets/favicon.svg": "favicon.svg",
}
"""Files of the repository, and where they are on the site."""
LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])+)\]\((?P<target>[^()\s]+)\)")
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\ssrc=\"(?:https?:)?//"
    r"|<link\b(?![^>]*canonical)[^>]*\shref=\"(?:https?:)?//"
)
CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the repository's files that are pages of the site."""
    for source, target in FROM_OUTSIDE.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links to where their targets are on the site."""
    site = page.file.src_uri
    source = next((path for path, target in FROM_OUTSIDE.items() if target == site), f"docs/{site}")

    def pointed(link: re.Match[str]) -> str:
        target, hash_, anchor = link["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not (ROOT / path).exists():
            return link[0]  # MkDocs says that it is missing
        at = FROM_OUTSIDE.get(path, path.removeprefix("docs/") if path.startswith("docs/") else "")
        if not at or (ROOT / path).is_dir():
            return link["text"]
        return f"[{link['text']}]({posixpath.relpath(at, posixpath.dirname(site) or '.')}{hash_}{anchor})"

    parts, end = [], 0
    for code in CODE.finditer(markdown):
        parts += [LINK.sub(pointed, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, LINK.sub(pointed, markdown[end:])])


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Raises `PluginError` for a page that loads something from another host."""
    found = FETCHED.search(output)
    if found:
        raise PluginError(f"{page.file.src_uri} loads something from another host: {found[0]}")
    return output
