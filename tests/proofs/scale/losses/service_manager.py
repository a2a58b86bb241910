"""A service manager: starts a process again whenever it ends, as `restart: always` does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).parents[4]
_RESTART_SECONDS = 0.5
_START_SECONDS = 60.0


class ManagedProcess:
    """A process of the fleet with a role, its own folder, its own port and its own log."""

    def __init__(self, name: str, role: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.port = free_port()
        self._role = role
        self._log = folder / f"{name}.log"
        self._settings = {
            **settings,
            "DATA_DIR": str(folder / name),
            "HTTP_PORT": str(self.port),
        }
        self._process: asyncio.subprocess.Process | None = None
        self._running: asyncio.Task[None] | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self._process is not None, self.name
        return self._process.pid

    def start(self, **settings: str) -> None:
        """Run the process until `stop` is called. `settings`: changes that last."""
        self._settings |= settings
        self._running = asyncio.create_task(self._run(), name=self.name)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the process, and do not start it again."""
        if self._running is None:
            return
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self.send(signal.SIGCONT)
            self.send(number)
            try:
                async with asyncio.timeout(40):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def status(self, path: str) -> int:
        """Return the status of an answer, or 0 if there is none."""
        timeout = aiohttp.ClientTimeout(total=2)
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def until(self, path: str, status: int = 200, within: float = _START_SECONDS) -> None:
        """Wait for the status of an answer."""
        async with asyncio.timeout(within):
            while await self.status(path) != status:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)

    def log_tail(self, lines: int = 30) -> str:
        """Return the end of the log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    async def _run(self) -> None:
        environment = {"PATH": os.environ["PATH"], "LOG_LEVEL": "INFO", **self._settings}
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "tests.proofs.scale.losses.process",
                    self._role,
                    cwd=_ROOT,
                    env=environment,
                    stderr=log,
                    stdout=log,
                )
            self.starts += 1
            await self._process.wait()
            await asyncio.sleep(_RESTART_SECONDS)
