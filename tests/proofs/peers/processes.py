"""Runs a peer as a process, from its first answer until the end of a block."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

_STARTS_WITHIN = 120.0
_ENDS_WITHIN = 10.0
_SERVER_ERROR = 500
# A peer must not inherit the bot's settings.
_INHERITED = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT"})


@asynccontextmanager
async def running(
    *command: str, health: str, log: Path, variables: Mapping[str, str]
) -> AsyncGenerator[None]:
    """Run a server until the block ends; it has started once `health` answers."""
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env=inherited | dict(variables),
            start_new_session=True,
        )
        try:
            await _wait_until_healthy(process, health, log)
            yield
        finally:
            await _terminate(process)


async def _wait_until_healthy(process: asyncio.subprocess.Process, health: str, log: Path) -> None:
    async with asyncio.timeout(_STARTS_WITHIN), aiohttp.ClientSession() as session:
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(health) as response:
                    if response.status < _SERVER_ERROR:
                        return
            await asyncio.sleep(0.2)
    tail = (await asyncio.to_thread(log.read_text, errors="replace"))[-2000:]
    raise RuntimeError(f"it ended with code {process.returncode}: {tail}")


async def _terminate(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        # The group contains its children too: it was started in a new session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
            return
