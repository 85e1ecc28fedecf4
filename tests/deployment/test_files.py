"""The files of `deploy/` that nothing here can run are right by their schemas and linters."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from example_server import ROOT

DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
KUBERNETES = ("1.29", "1.31", "1.34")
LINTED: dict[str, list[str | Path]] = {
    "hadolint": [BIN / "hadolint", DEPLOY / "Dockerfile"],
    "compose": [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
    **{
        f"kubernetes-{version}": [
            *(BIN / "kubernetes-validate", "-k", version, "--strict"),
            *sorted((DEPLOY / "kubernetes").glob("*.yaml")),
        ]
        for version in KUBERNETES
    },
}


@pytest.mark.parametrize("name", LINTED)
def test_a_file_is_what_its_reader_expects(name: str) -> None:
    done = subprocess.run([str(part) for part in LINTED[name]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    # systemd looks for the programs that a unit names, so those of /opt/store are put in a place that there is.
    for name in ("alembic", "ferrapi"):
        tmp_path.joinpath(name).touch(mode=0o755)
    unit = tmp_path / "store.service"
    unit.write_text((DEPLOY / "systemd" / "store.service").read_text().replace("/opt/store/.venv/bin", str(tmp_path)))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_the_files_name_is_there() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [
        line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []
    assert "\nUSER " in dockerfile
    assert "\nHEALTHCHECK " in dockerfile
