"""Build what this machine can of what is published, check it, and say what was left out.

    python -m scripts.dist --out dist/release                      # wheels for Linux, and the source distribution
    python -m scripts.dist --out dist/release --interpreter PATH   # with a Python that is not found by itself
    python -m scripts.dist --out dist/release --only 3.14          # for one Python
    python -m scripts.dist --out dist/release --target x86_64-unknown-linux-gnu   # for one kind of Linux

A wheel is built for each Python of the classifiers that is here and each target whose standard library Rust has here
(`rustup target add aarch64-unknown-linux-gnu`). zig links it, against the oldest glibc or musl that its tag promises, so
that neither a container nor a cross compiler is needed. Then:

* `twine check --strict` reads the metadata of everything;
* each wheel is held against its tag (`scripts.dist.elf`): symbols of glibc, libraries, machine, no debugging symbols;
* nothing of a wheel or of the source distribution names a folder of this machine (`scripts.dist.places`);
* each wheel that this machine can run is installed in an empty environment without Rust, imported, asked and served with
  (`scripts.dist.trial`);
* a wheel is built from the source distribution.

The exit status is 1 if something does not hold. What can't be made here is no error: the last lines say what it was.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from .elf import complaints
from .places import ROOT, places_in, rename_places, rust_flags
from .trial import TrialError, try_wheel

TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux2014",
    "aarch64-unknown-linux-gnu": "manylinux2014",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
}
"""What Rust calls each kind of Linux, and the oldest system that its wheels promise to run on."""
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def versions() -> list[str]:
    """The Python versions that the package is published for: its classifiers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = (re.search(r":: Python :: (3\.\d+)$", line) for line in project["classifiers"])
    return [match[1] for match in found if match]


def _version_of(interpreter: str) -> str | None:
    """The version of an interpreter; None if it does not run or is no CPython."""
    try:
        done = subprocess.run([interpreter, "-c", _VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version, _, name = done.stdout.strip().partition(" ")
    return version if done.returncode == 0 and name == "cpython" else None


def _candidates(version: str, given: list[str]) -> Iterator[str]:
    yield from given
    yield sys.executable
    yield f"python{version}"
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from (str(path) for path in sorted(installed.glob(f"{version}.*/bin/python"), reverse=True))


def interpreters(wanted: list[str], given: list[str]) -> dict[str, str]:
    """An interpreter of each wanted version that is here: of those that were given, in PATH, or pyenv's."""
    found = {}
    for version in wanted:
        for candidate in _candidates(version, given):
            path = shutil.which(candidate)
            if path and _version_of(path) == version:
                found[version] = path
                break
    return found


def has_target(target: str) -> bool:
    """Whether Rust's standard library for a target is installed."""
    done = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True)
    return any((Path(done.stdout.strip()) / "lib" / "rustlib" / target / "lib").glob("libstd-*.rlib"))


def _variables() -> dict[str, str]:
    """Variables for a build that depends on the sources and the tools alone, as far as that goes.

    Times are the last commit's, and the folders of this machine have the same names everywhere. maturin finds zig through
    the first Python of PATH, which is made this one.
    """
    commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    epoch = commit.stdout.strip() or "315532800"  # 1980, the first time that a zip file can hold
    return {**os.environ, "PATH": path, "RUSTFLAGS": rust_flags(), "SOURCE_DATE_EPOCH": epoch}


def _maturin(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "maturin", *arguments], cwd=ROOT, env=_variables(), check=True)


def build(target: str, version: str, interpreter: str, out: Path) -> Path:
    """Build one wheel. For other machines maturin knows by itself what Pythons are like there, by their version."""
    known_as = interpreter if _runs_here(target) else f"python{version}"
    before = set(out.glob("*.whl"))
    release = ["--release", "--locked", "--quiet", "--zig", "--target", target, "--compatibility", TARGETS[target]]
    _maturin("build", *release, "--interpreter", known_as, "--out", str(out))
    (wheel,) = set(out.glob("*.whl")) - before
    rename_places(wheel)
    return wheel


def _build_from(sdist: Path, interpreter: str) -> None:
    """Build a wheel from the source distribution alone."""
    with tempfile.TemporaryDirectory() as folder:
        build_one = ["build", "--release", "--locked", "--quiet", "--interpreter", interpreter, "--out", folder]
        shutil.unpack_archive(sdist, folder, filter="data")
        (sources,) = (path for path in Path(folder).iterdir() if path.is_dir())
        target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
        variables = {**_variables(), "CARGO_TARGET_DIR": target}
        subprocess.run([sys.executable, "-m", "maturin", *build_one], cwd=sources, env=variables, check=True)


def _runs_here(target: str) -> bool:
    libc = "musl" if platform.libc_ver()[0] != "glibc" else "gnu"
    return target == f"{platform.machine()}-unknown-linux-{libc}"


def _check(wheel: Path, target: str, interpreter: str) -> list[str]:
    """What is wrong with a wheel."""
    wrong = complaints(wheel) + places_in(wheel)
    if _runs_here(target):
        try:
            try_wheel(wheel, interpreter)
        except TrialError as error:
            wrong.append(str(error))
    return wrong


def _sums(out: Path) -> None:
    files = sorted([*out.glob("*.whl"), *out.glob("*.tar.gz")])
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (out / "SHA256SUMS").write_text("".join(lines))
    for file in files:
        print(f"   {file.name}  {file.stat().st_size / 1e6:.1f} MB")


def main() -> int:
    """Build, check, report; 1 if something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m scripts.dist", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder; it is made anew")
    parser.add_argument("--interpreter", action="append", default=[], help="a Python; may be repeated")
    parser.add_argument("--only", action="append", choices=versions(), help="a version; may be repeated; default: all")
    parser.add_argument("--target", action="append", choices=TARGETS, help="of Rust's; may be repeated; default: all")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    pythons = interpreters(arguments.only or versions(), arguments.interpreter)
    if not pythons:
        raise SystemExit("there is none of the Pythons that wheels are built for")
    left_out = [f"CPython {version}: it is not here, or not asked for" for version in versions() if version not in pythons]
    wrong: list[str] = []
    for target, compatibility in TARGETS.items():
        if arguments.target and target not in arguments.target:
            left_out.append(f"{compatibility} for {target}: not asked for")
            continue
        if not has_target(target):
            left_out.append(f"{compatibility} for {target}: `rustup target add {target}` has not been run")
            continue
        if not _runs_here(target):
            left_out.append(f"using the wheels for {target}: they can't run here; their headers were read")
        for version, interpreter in pythons.items():
            print(f"== CPython {version} on {target}", flush=True)
            wheel = build(target, version, interpreter, out)
            for complaint in _check(wheel, target, interpreter):
                wrong.append(f"{wheel.name}: {complaint}")
                print(f"   wrong: {complaint}", flush=True)
    print("== The source distribution", flush=True)
    _maturin("sdist", "--out", str(out))
    (sdist,) = out.glob("*.tar.gz")
    wrong += [f"{sdist.name}: {complaint}" for complaint in places_in(sdist)]
    _build_from(sdist, next(iter(pythons.values())))
    twine = [sys.executable, "-m", "twine", "check", "--strict", *map(str, [*out.glob("*.whl"), sdist])]
    if subprocess.run(twine, check=False).returncode:
        wrong.append("twine: the metadata are not well-formed")
    print("== Made")
    _sums(out)
    left_out.append("macOS and Windows: .github/workflows/release.yml builds them")
    print("== Left out")
    print("".join(f"   {line}\n" for line in left_out), end="")
    for complaint in wrong:
        print(f"Wrong: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
