"""`python -m bot ...` as an operator runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bot_process import COVERAGE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that has ended, and what it said."""

    code: int
    out: str
    err: str


async def start(folder: Path, *command: str, **environment: str) -> asyncio.subprocess.Process:
    """Start it in `folder`, in a process group of its own, where no `.env` of ours lies."""
    kept = {name: os.environ[name] for name in COVERAGE if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **kept, **environment},
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )


async def end(process: asyncio.subprocess.Process) -> Ended:
    """Wait for its end; one that does not end is killed."""
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Ended(code=process.returncode, out=out.decode(), err=err.decode())


async def run_bot(folder: Path, *command: str, **environment: str) -> Ended:
    """Run it to its end."""
    return await end(await start(folder, *command, **environment))


def group_is_empty(process: asyncio.subprocess.Process) -> bool:
    """Tell whether nothing is left of a process and of all that it has started."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False
