"""Take Swagger UI and ReDoc from their npm packages into `python/ferrapi/openapi/assets`, or check what is there.

    python scripts/update_docs_assets.py                          # the newest releases of the majors in use
    python scripts/update_docs_assets.py swagger-ui-dist@5.1.0    # one package at one version
    python scripts/update_docs_assets.py --own                    # record this project's own files after a change
    python scripts/update_docs_assets.py --check                  # the files are those of the manifest

Needs `npm`; `--own` and `--check` need nothing. The manifest records each package's version, licence and integrity
(npm's own hash of the package) and the SHA-256 of each file. Files of this project in the same folder are recorded too.

Some files are changed on the way, so that pages work under `Content-Security-Policy: default-src 'self'` and ask no
other host for anything: images in `data:` URLs and ReDoc's search worker become files, which the page's address serves
(`openapi/_assets.py`), and ReDoc's remote logo is left out. A changed file begins with a comment that says so.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

ASSETS = Path(__file__).resolve().parent.parent / "python" / "ferrapi" / "openapi" / "assets"
MANIFEST = ASSETS / "manifest.json"

# Of each package: the versions to follow, and the files to take with the names they get.
PACKAGES: dict[str, tuple[str, dict[str, str]]] = {
    "swagger-ui-dist": (
        "5",
        {
            "swagger-ui-bundle.js": "swagger-ui-bundle.js",
            "swagger-ui.css": "swagger-ui.css",
            "oauth2-redirect.js": "oauth2-redirect.js",
            "LICENSE": "swagger-ui-dist.LICENSE",
            "NOTICE": "swagger-ui-dist.NOTICE",
            "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
        },
    ),
    "redoc": (
        "2",
        {
            "bundles/redoc.standalone.js": "redoc.standalone.js",
            "LICENSE": "redoc.LICENSE",
            "bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
        },
    ),
}
OWN: dict[str, Any] = {"name": "ferrapi", "version": "1", "licence": "MIT"}
OWN |= {"files": ["favicon.svg", "redoc-page.js", "swagger-ui-page.js"]}
CHANGED = "/* Changed for ferrapi by scripts/update_docs_assets.py: {}. */\n"

DATA_URL = re.compile(
    r"""(?P<quote>["']?)data:image/(?P<kind>svg\+xml|png|jpeg)(?P<how>[^,]*),"""
    r"""(?P<data>(?:\\.|(?!(?P=quote)[)]).)*)(?P=quote)(?=[)])"""
)
ENDINGS = {"svg+xml": "svg", "png": "png", "jpeg": "jpg"}
LOGO = re.compile(
    r"""\w+\?\w+\.createElement\("img",\{[^{}]*src:"https://cdn\.redoc\.ly/redoc/logo-mini\.svg"\}\):null"""
)
WORKER = re.compile(r"""URL\.createObjectURL\(new Blob\(\['((?:[^'\\]|\\.)*)'\]\)\)""")


def sha256(path: Path) -> str:
    """The hash of a file, as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def take(name: str, version: str, files: dict[str, str]) -> dict[str, Any]:
    """Fetch `name` at `version`, copy `files` out of it and return its part of the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--json", "--pack-destination", folder, f"{name}@{version}"]
        # npm lists every version a range allows; the last one is the newest.
        packed = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=folder).stdout)
        packed = (list(packed.values()) if isinstance(packed, dict) else packed)[-1]
        with tarfile.open(Path(folder) / packed["filename"]) as archive:
            content = {file: _read(archive, f"package/{file}") for file in ("package.json", *files)}
    written: dict[str, bytes] = {}
    for file, target in files.items():
        written |= without_inline_parts(f"{name}@{packed['version']}", target, content[file])
    for target, data in written.items():
        (ASSETS / target).write_bytes(data)
    return {
        "name": name,
        "version": packed["version"],
        "licence": json.loads(content["package.json"])["license"],
        "integrity": packed["integrity"],
        "files": {target: sha256(ASSETS / target) for target in written},
    }


def without_inline_parts(package: str, target: str, data: bytes) -> dict[str, bytes]:
    """The files that become of one: itself, and what was inside of it that a strict policy would not load.

    Parameters:
        package: name and version, as in the addresses of its files.
        target: the file's name.
        data: its content.

    Raises `SystemExit` if a part that has to be taken out is not found: the package has changed.
    """
    if target not in ("swagger-ui.css", "redoc.standalone.js"):
        return {target: data}
    stem, found = target.partition(".")[0], dict[str, bytes]()

    def image(match: re.Match[str]) -> str:
        packed = re.sub(r"\\(.)", r"\1", match["data"]) if match["quote"] else match["data"]
        content = base64.b64decode(packed) if "base64" in match["how"] else unquote_to_bytes(packed)
        file = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.{ENDINGS[match['kind']]}"
        return f"{match['quote']}{address(file, content)}{match['quote']}"

    def address(file: str, content: bytes) -> str:
        found[file] = content
        return f"?ferrapi-asset={package}/{hashlib.sha256(content).hexdigest()[:8]}/{file}"

    text, images = DATA_URL.subn(image, data.decode())
    changes = [f"{images} images are files"]
    if target == "redoc.standalone.js":

        def worker(match: re.Match[str]) -> str:
            # A string literal of JavaScript in single quotes that has no other escapes than Python's.
            source = match[1].encode().decode("unicode_escape").encode("latin-1")
            return f'"{address("redoc.worker.js", source)}"'

        text, workers = WORKER.subn(worker, text)
        text, logos = LOGO.subn("null", text)
        if (workers, logos) != (1, 1):
            raise SystemExit(f"{package}: {workers} workers and {logos} logos in place of one of each")
        changes += ["the search worker is a file", "the remote logo is left out"]
    if "data:image" in text or not images:
        raise SystemExit(f"{package}: not all images of {target} were found")
    return {target: (CHANGED.format(", ".join(changes)) + text).encode(), **found}


def _read(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise SystemExit(f"{member} is not a file of the package")
    return file.read()


def update(wanted: list[str]) -> None:
    """Take the packages in `wanted` (`name` or `name@version`; none means all) and write the manifest."""
    versions = dict(one.partition("@")[::2] for one in wanted)
    unknown = versions.keys() - PACKAGES.keys()
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PACKAGES)}")
    ASSETS.mkdir(exist_ok=True)
    known = {one["name"]: one for one in _manifest()} if MANIFEST.exists() else {}
    for name, (major, files) in PACKAGES.items():
        if not versions or name in versions:
            known[name] = take(name, versions.get(name) or major, files)
            print(f"{name} {known[name]['version']}")
    _write(known)


def _write(known: dict[str, dict[str, Any]]) -> None:
    """Write the manifest of what is known of each package, and remove files that no package has any more."""
    known["ferrapi"] = OWN | {"files": {name: sha256(ASSETS / name) for name in OWN["files"]}}
    for file in ASSETS.iterdir():
        if file != MANIFEST and not any(file.name in one["files"] for one in known.values()):
            file.unlink()
    MANIFEST.write_text(json.dumps({"packages": list(known.values())}, indent=2) + "\n")


def _manifest() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = json.loads(MANIFEST.read_text())["packages"]
    return packages


def check() -> int:
    """Print what differs between the folder and the manifest; the result is the process's exit status."""
    expected = {name: digest for package in _manifest() for name, digest in package["files"].items()}
    found = {path.name: sha256(path) for path in ASSETS.iterdir() if path != MANIFEST}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    for name in wrong:
        state = "missing" if name not in found else "not in the manifest" if name not in expected else "changed"
        print(f"{name}: {state}")
    return 1 if wrong else 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the files with the manifest and change nothing")
    parser.add_argument("--own", action="store_true", help="record the files of this project alone")
    parser.add_argument("package", nargs="*", help="what to take, as name or name@version; by default everything")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if arguments.own:
        _write({one["name"]: one for one in _manifest()})
    else:
        update(arguments.package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
