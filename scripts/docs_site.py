"""What MkDocs asks of this project while it builds the site (`hooks` of mkdocs.yml).

Pages link to files of the repository that are no pages (`../benchmarks/README.md`). Those that readers of the site need
become pages here; links to the others become plain text, since the site may be read where there is no repository. And a
page that would load something from another host fails the build.

Where a page has `<!-- options: FILE CLASS -->`, the options are listed that a class of keyword arguments describes in
its docstring, and its bases in theirs.
"""

import ast
import inspect
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
OPTIONS = re.compile(r"<!-- options: (?P<file>\S+) (?P<name>\w+) -->")
OPTION = re.compile(r"^ *([a-z_]+(?:, [a-z_]+)*): (\S.*)$", re.MULTILINE)
CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """Add how-to pages and pages on running that the navigation does not name, so that nobody has to think of it."""
    docs, named = ROOT / "docs", set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    for folder, title in (docs / "how-to", "How to"), (docs, "Running it"):
        section = next(one[title] for one in config.nav if title in one)
        section += sorted({page.relative_to(docs).as_posix() for page in folder.glob("*.md")} - named)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the repository's files that are pages of the site."""
    for source, target in FROM_OUTSIDE.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_bytes()))
    return files


def _options(match: re.Match[str]) -> str:
    """A list of the options of a class of keyword arguments."""
    tree = ast.parse((ROOT / match["file"]).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    lines: list[str] = []

    def add(name: str) -> None:
        node = classes[name]
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in classes:
                add(base.id)
        types = {
            ast.unparse(one.target): ast.unparse(one.annotation) for one in node.body if isinstance(one, ast.AnnAssign)
        }
        text = re.sub(r"\n +(?![a-z_, ]+: )(?=\S)", " ", inspect.cleandoc(ast.get_docstring(node) or ""))
        for names, meaning in OPTION.findall(text):
            shown = ", ".join(f"**`{one}`**" for one in names.split(", "))
            lines.append(f"* {shown} (`{types[names.partition(',')[0]]}`): {meaning}")

    add(match["name"])
    return "\n".join(lines)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links to where their targets are on the site."""
    markdown = OPTIONS.sub(_options, markdown)
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
