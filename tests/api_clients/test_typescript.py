"""A TypeScript client that is generated from the store's document compiles, and calls the store."""

import json
import shutil
import subprocess
from pathlib import Path

import httpx2

SOURCE = Path(__file__).with_name("client.ts")
CONFIGURATION = {
    "compilerOptions": {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "skipLibCheck": True,
        "target": "es2022",
        "module": "nodenext",
        "types": ["node"],
    },
    "files": ["client.ts"],
}


def _run(*command: str, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_generated_client_compiles_and_calls_the_store(store: str, packages: Path, tmp_path: Path) -> None:
    programs = packages / "node_modules" / ".bin"
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "document.json").write_bytes(httpx2.get(f"{store}/openapi.json").content)
    (tmp_path / "tsconfig.json").write_text(json.dumps(CONFIGURATION))
    shutil.copy(SOURCE, tmp_path)

    _run(str(programs / "openapi-typescript"), "document.json", "-o", "store.d.ts", folder=tmp_path)
    _run(str(programs / "tsc"), folder=tmp_path)
    said = json.loads(_run("node", "client.js", store, folder=tmp_path))
    assert said == {
        "count": 3,
        "currency": "EUR",
        "cuts": ["Ideal"] * 3,
        "same": True,
        "missing": 404,
        "role": "admin",
    }
