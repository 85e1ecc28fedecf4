"""Folders of the machine that builds, which no published file should name.

    python -m scripts.dist.places --flags   # for Rust's compiler, which then writes other names (RUSTFLAGS)
    python -m scripts.dist.places dist      # the wheels of a folder; what still names one is listed, and the status is 1

maturin has no such flags: the bill of materials that it puts into a wheel (CycloneDX, in its metadata) names each crate of
this repository by its folder. There the names are replaced afterwards.
"""

import base64
import hashlib
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
RENAMED = {os.environ.get("CARGO_HOME", str(Path.home() / ".cargo")): "/cargo", str(ROOT): "/ferrapi"}
"""The folders that a build knows, and what they are called in what it makes."""


def rust_flags(renamed: Mapping[str, str] = RENAMED) -> str:
    """What has Rust's compiler write the other names: RUSTFLAGS, and those that the environment has."""
    flags = [f"--remap-path-prefix={place}={name}" for place, name in renamed.items()]
    return " ".join([os.environ.get("RUSTFLAGS", ""), *flags]).strip()


def rename_places(wheel: Path, renamed: Mapping[str, str] = RENAMED) -> None:
    """Replace the folders in the bills of materials of a wheel, and make its list of files right again."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    changed: dict[str, bytes] = {}
    for info, content in members:
        if _is_bill(info.filename):
            written = _renamed(content, renamed)
            if written != content:
                changed[info.filename] = written
    if not changed:
        return
    made = wheel.with_suffix(".new")
    with zipfile.ZipFile(made, "w") as archive:
        for info, content in members:
            if info.filename.endswith(".dist-info/RECORD"):
                content = "".join(_line(line, changed) for line in content.decode().splitlines()).encode()
            archive.writestr(info, changed.get(info.filename, content), info.compress_type)
    made.replace(wheel)


def places_in(file: Path, renamed: Mapping[str, str] = RENAMED) -> list[str]:
    """What of a wheel or a source distribution names a folder of this machine, one sentence for each file of it."""
    return [
        f"{name} names {place}, a folder of the machine that built it"
        for name, content in _contents(file)
        for place in renamed
        if any(said in content for said in _spelt(place))
    ]


def _is_bill(name: str) -> bool:
    return ".dist-info/sboms/" in name


def _spelt(place: str) -> set[bytes]:
    """A folder as text, as a part of an address, and as Windows writes it in JSON."""
    forward = place.replace("\\", "/")
    return {place.encode(), quote(forward).encode(), forward.encode(), place.replace("\\", "\\\\").encode()}


def _spellings(renamed: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Each spelling and what stands for it, the longest first, since a folder may be inside of another."""
    found = {said: new.encode() for place, new in renamed.items() for said in _spelt(place)}
    yield from sorted(found.items(), key=lambda item: -len(item[0]))


def _renamed(content: bytes, renamed: Mapping[str, str]) -> bytes:
    for said, new in _spellings(renamed):
        content = content.replace(said, new)
    return content


def _line(line: str, changed: Mapping[str, bytes]) -> str:
    """A line of RECORD: name, hash, size."""
    name = line.rsplit(",", 2)[0]
    if name not in changed:
        return f"{line}\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(changed[name]).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(changed[name])}\n"


def _contents(file: Path) -> Iterator[tuple[str, bytes]]:
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
        return
    with tarfile.open(file) as archive:
        for member in archive:
            if (reader := archive.extractfile(member)) is not None:
                yield member.name, reader.read()


def main() -> int:
    """Rename the places in the wheels of a folder; 1 if one is named all the same. Or print the flags."""
    if sys.argv[1] == "--flags":
        print(rust_flags())
        return 0
    left = []
    for wheel in sorted(Path(sys.argv[1]).glob("*.whl")):
        rename_places(wheel)
        left += [f"{wheel.name}: {complaint}" for complaint in places_in(wheel)]
    print("\n".join(left), end="\n" if left else "", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
