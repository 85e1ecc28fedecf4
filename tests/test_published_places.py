"""What is published names no folder of the machine that built it (`scripts.dist.places`)."""

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.dist.places import places_in, rename_places, rust_flags  # noqa: E402  # needs the path above

RENAMED = {"/home/some one/.cargo": "/cargo", "/home/some one": "/ferrapi"}
BILL = "shop-1.dist-info/sboms/shop.cyclonedx.json"
NAMED = b'{"a": "path+file:///home/some%20one/rust#shop@1", "b": "/home/some one/.cargo/registry"}'


def wheel(folder: Path, **files: bytes) -> Path:
    """A wheel with a bill of materials, a module and what else is given."""
    made = folder / "shop-1-py3-none-any.whl"
    content = {"shop/__init__.py": b"", BILL: NAMED, **files}
    lines = [f"{name},sha256=old,{len(data)}\n" for name, data in content.items()]
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        archive.writestr("shop-1.dist-info/RECORD", "".join([*lines, "shop-1.dist-info/RECORD,,\n"]))
    return made


def test_folders_get_other_names_and_the_list_of_files_stays_right(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    assert len(places_in(made, RENAMED)) == 2
    rename_places(made, RENAMED)
    assert places_in(made, RENAMED) == []
    with zipfile.ZipFile(made) as archive:
        bill = archive.read(BILL)
        assert bill == b'{"a": "path+file:///ferrapi/rust#shop@1", "b": "/cargo/registry"}'
        digest = base64.urlsafe_b64encode(hashlib.sha256(bill).digest()).rstrip(b"=").decode()
        record = archive.read("shop-1.dist-info/RECORD").decode().splitlines()
        assert record == [
            "shop/__init__.py,sha256=old,0",
            f"{BILL},sha256={digest},{len(bill)}",
            "shop-1.dist-info/RECORD,,",
        ]
        assert archive.getinfo(BILL).date_time == (2020, 2, 2, 0, 0, 0)
    assert [file.name for file in tmp_path.iterdir()] == [made.name]


def test_a_wheel_that_names_none_stays_as_it_is(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    before = made.read_bytes()
    rename_places(made, {"/elsewhere": "/x"})
    assert made.read_bytes() == before


def test_other_files_are_reported_and_not_changed(tmp_path: Path) -> None:
    made = wheel(tmp_path, **{"shop/_native.so": b"\0/home/some one/src/lib.rs\0"})
    rename_places(made, RENAMED)
    assert places_in(made, RENAMED) == ["shop/_native.so names /home/some one, a folder of the machine that built it"]


def test_the_compiler_is_given_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTFLAGS", "-Dwarnings")
    assert rust_flags({"/a": "/b"}) == "-Dwarnings --remap-path-prefix=/a=/b"
