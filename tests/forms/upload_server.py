"""The application that `test_large_upload` starts in a process of its own: uploads, and something else to ask for."""

import contextlib
import os
from pathlib import Path

from ferrapi import FastAPI, UploadFile

app = FastAPI()
asked = 0


def memory(line: str) -> int:
    """What the kernel says about this process, in KiB: VmRSS is its memory, VmHWM the most that it has had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(each.split()[1] for each in lines if each.startswith(f"{line}:")))


def forget_peak() -> None:
    """Let the largest amount of memory be the present one."""
    Path("/proc/self/clear_refs").write_text("5")


@app.get("/files")
def files() -> int:
    """How many open files of this process have no name, as temporary ones have. Standard output may be one too."""
    count = 0
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            count += int(number) > 2 and os.readlink(f"/proc/self/fd/{number}").endswith("(deleted)")
    return count


@app.get("/begin")
async def begin() -> dict[str, int]:
    """Says how much there is before an upload."""
    forget_peak()
    return {"asked": asked, "memory": memory("VmRSS"), "peak": memory("VmHWM")}


@app.get("/alive")
async def alive() -> dict[str, int]:
    """Answers at once, if the event loop is free."""
    global asked
    asked += 1
    return {"asked": asked, "memory": memory("VmRSS"), "peak": memory("VmHWM")}


@app.post("/fails")
async def fails(file: UploadFile) -> None:
    """Answers with an error of the application."""
    raise RuntimeError("failed")


@app.post("/")
async def upload(file: UploadFile) -> dict[str, int | str | None]:
    """Says what arrived, reading a little of it."""
    await file.seek((file.size or 0) - 8)
    end = (await file.read()).decode()
    return {"size": file.size, "name": file.filename, "end": end, "asked": asked}
