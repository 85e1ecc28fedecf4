"""Take Swagger UI and ReDoc from their npm packages into `python/ferrapi/openapi/assets`, or check what is there.

    python scripts/update_docs_assets.py                          # the newest releases of the majors in use
    python scripts/update_docs_assets.py swagger-ui-dist@5.1.0    # one package at one version
    python scripts/update_docs_assets.py --check                  # the files are those of the manifest

Needs `npm`; `--check` needs nothing. The manifest records each package's version, licence and integrity (npm's own
hash of the package) and the SHA-256 of each file. Files of this project in the same folder are recorded too.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

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
OWN = {"name": "ferrapi", "version": "1", "licence": "MIT", "files": ["favicon.svg"]}


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
    for file, target in files.items():
        (ASSETS / target).write_bytes(content[file])
    return {
        "name": name,
        "version": packed["version"],
        "licence": json.loads(content["package.json"])["license"],
        "integrity": packed["integrity"],
        "files": {target: sha256(ASSETS / target) for target in files.values()},
    }


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
    known["ferrapi"] = OWN | {"files": {name: sha256(ASSETS / name) for name in OWN["files"]}}
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
    parser.add_argument("package", nargs="*", help="what to take, as name or name@version; by default everything")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    update(arguments.package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
