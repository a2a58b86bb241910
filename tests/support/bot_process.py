"""Runs the bot in a separate process that a test can kill."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import app
from bot.runtime.log_setup import configure_logs
from bot.settings.fields import load_settings
from tests.support.forks import ROOT, start_module
from tests.support.wire import FAST, WITHIN

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from tests.support.forks import Process

COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")


@dataclass(kw_only=True)
class BotProcess:
    """A running bot and its log lines."""

    process: Process
    lines: list[str] = field(default_factory=list[str])
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def logged(self, text: str) -> None:
        """Wait until a line with this text was logged."""
        async with asyncio.timeout(WITHIN), self.changed:
            await self.changed.wait_for(lambda: any(text in line for line in self.lines))

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            return await self.process.wait()

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self.changed:
                self.lines.append(line.decode())
                self.changed.notify_all()


@asynccontextmanager
async def open_bot(
    environment: Mapping[str, str], *command: str, log_level: str = "DEBUG"
) -> AsyncGenerator[BotProcess]:
    """Start the bot; kill it at the end of the block if it is still running."""
    kept = {name: os.environ[name] for name in COVERAGE if name in os.environ}
    process = await start_module(
        *(command or ("tests.support.bot_process",)),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LOG_LEVEL": log_level, **kept, **environment},
        stderr=PIPE,
        limit=1024 * 1024,
    )
    bot = BotProcess(process=process)
    reader = asyncio.create_task(bot.read(), name="log reader")
    try:
        yield bot
    finally:
        if process.returncode is None:
            await bot.kill()
        await reader


if __name__ == "__main__":
    settings = load_settings()
    configure_logs(settings)
    asyncio.run(app.run(settings, timing=FAST))
