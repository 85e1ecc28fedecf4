"""What a compiled module asks of the system that loads it, read from its ELF headers.

A wheel's tag promises an oldest system: `manylinux_2_17` one with glibc 2.17, `musllinux_1_2` one with musl 1.2. The
linker writes down which versions of glibc's symbols a module needs and which libraries it loads, so the promise can be
checked without such a system.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

GLIBC = {
    *("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libgcc_s.so.1"),
    *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
}
"""What every system of a manylinux tag has, of what a Rust library may load (PEP 600)."""
MUSL = {"libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libgcc_s.so.1"}
"""The same of a musllinux tag (PEP 656). libgcc_s is in all images of Python for Alpine."""
_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)")
_TAG = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)$")
_LEGACY = {"manylinux2014": "manylinux_2_17", "manylinux2010": "manylinux_2_12"}
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}


def promise(wheel: Path) -> tuple[str, tuple[int, int], str]:
    """What the name of a wheel promises: the kind of system, its oldest version, the machine.

    Raises:
        ValueError: The tag is not one of manylinux or musllinux.
    """
    for tag in wheel.stem.split("-")[-1].split("."):
        for old, new in _LEGACY.items():
            tag = tag.replace(f"{old}_", f"{new}_")
        if found := _TAG.match(tag):
            kind, major, minor, machine = found.groups()
            return kind, (int(major), int(minor)), machine
    raise ValueError(f"{wheel.name} is no wheel for Linux in general: it promises nothing to check")


def modules(wheel: Path) -> Iterator[tuple[str, ELFFile]]:
    """The compiled modules of a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                yield name, ELFFile(io.BytesIO(archive.read(name)))


def glibc_needed(module: ELFFile) -> tuple[int, int]:
    """The oldest glibc that has all symbols that a module uses; (0, 0) if it uses none of glibc's."""
    section = module.get_section_by_name(".gnu.version_r")
    names = [need.name for _, needs in section.iter_versions() for need in needs] if section else []
    found = [(int(match[1]), int(match[2])) for match in map(_VERSION.match, names) if match]
    return max(found, default=(0, 0))


def libraries(module: ELFFile) -> set[str]:
    """The libraries that a module loads."""
    dynamic = module.get_section_by_name(".dynamic")
    return {tag.needed for tag in dynamic.iter_tags() if tag.entry.d_tag == "DT_NEEDED"}


def complaints(wheel: Path) -> list[str]:
    """Where a wheel does not keep what its name promises, or carries symbols that nobody needs; none if all is well."""
    kind, oldest, machine = promise(wheel)
    found = []
    allowed = GLIBC if kind == "manylinux" else MUSL
    names = []
    for name, module in modules(wheel):
        names.append(name)
        if _MACHINES.get(module["e_machine"]) != machine:
            found.append(f"{name} is for {module['e_machine']}, the wheel for {machine}")
        needed = glibc_needed(module)
        if kind == "manylinux" and needed > oldest:
            found.append(f"{name} needs glibc {needed[0]}.{needed[1]}, the tag promises {oldest[0]}.{oldest[1]}")
        if kind == "musllinux" and needed > (0, 0):
            found.append(f"{name} needs glibc, the tag promises musl")
        if strange := libraries(module) - allowed:
            found.append(f"{name} loads {', '.join(sorted(strange))}")
        symbols = [section.name for section in module.iter_sections()]
        if ".symtab" in symbols or any(symbol.startswith(".debug") for symbol in symbols):
            found.append(f"{name} is not stripped")
    if len(names) != 1:
        found.append(f"it has {len(names)} compiled modules")
    return found
