"""Runs `python -m bot ...` as an operator does: in a separate process and folder."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.bot_process import COVERAGE
from tests.support.forks import ROOT, start_module

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.forks import Process

WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The exit code and the output of a process that has ended."""

    code: int
    out: str
    err: str


async def start(folder: Path, *command: str, **environment: str) -> Process:
    """Start the command in `folder`, which has no `.env`, and in a separate process group."""
    kept = {name: os.environ[name] for name in COVERAGE if name in os.environ}
    return await start_module(
        "bot",
        *command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **kept, **environment},
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )


async def end(process: Process) -> Ended:
    """Wait until the process ends, and return its output; kill it after a time-out."""
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    # A process without its own pipe has no output here.
    return Ended(code=process.returncode, out=(out or b"").decode(), err=(err or b"").decode())


async def run_bot(folder: Path, *command: str, **environment: str) -> Ended:
    """Run the command until it ends."""
    return await end(await start(folder, *command, **environment))


def group_is_empty(process: Process) -> bool:
    """Return whether a process and all its descendants have ended."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False
