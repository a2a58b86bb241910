"""Starts modules as processes, most of them as forks of a process that has imported the bot.

A new Python needs most of a second of CPU time to import the bot, and a fork a hundredth.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
# These variables change how Python starts, so they need a new one.
_OF_PYTHON = ("PYTHON", "COVERAGE")


class Process(Protocol):
    """The part of asyncio's Process that the tests use."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    @property
    def stdout(self) -> asyncio.StreamReader | None: ...

    @property
    def stderr(self) -> asyncio.StreamReader | None: ...

    def kill(self) -> None: ...

    def send_signal(self, signal: int, /) -> None: ...

    async def wait(self) -> int: ...

    async def communicate(self) -> tuple[bytes | None, bytes | None]: ...


async def start_module(
    module: str,
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str],
    stdout: int | None = None,
    stderr: int | None = None,
    start_new_session: bool = False,
    limit: int = 2**16,
) -> Process:
    """Run a module as `python -m` does; the keywords are those of asyncio's subprocesses."""
    if any(name.startswith(_OF_PYTHON) for name in env if name != "PYTHONPATH"):
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            cwd=cwd,
            env=env,
            stdout=stdout,
            stderr=stderr,
            start_new_session=start_new_session,
            limit=limit,
        )
    request = {
        "module": module,
        "arguments": arguments,
        "cwd": str(cwd),
        "env": dict(env),
        "start_new_session": start_new_session,
    }
    out = os.pipe() if stdout == PIPE else None
    err = os.pipe() if stderr == PIPE else None
    status, reports = socket.socketpair()
    with reports:
        _fork_server().send(request, out[1] if out else 1, err[1] if err else 2, reports.fileno())
    reader, writer = await asyncio.open_connection(sock=status)
    return ForkedProcess(
        int(await reader.readline()),
        stdout=await _read(out, limit),
        stderr=await _read(err, limit),
        exit_code=asyncio.create_task(_exit_code(reader, writer), name="exit code of a fork"),
    )


async def _read(pipe: tuple[int, int] | None, limit: int) -> asyncio.StreamReader | None:
    if pipe is None:
        return None
    os.close(pipe[1])
    reader = asyncio.StreamReader(limit=limit)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe[0], "rb")
    )
    return reader


async def _exit_code(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    try:
        return int(await reader.readline())
    finally:
        writer.close()


class ForkedProcess:
    """A process that the fork server has started."""

    def __init__(
        self,
        pid: int,
        *,
        stdout: asyncio.StreamReader | None,
        stderr: asyncio.StreamReader | None,
        exit_code: asyncio.Task[int],
    ) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self._exit_code = exit_code

    @property
    def returncode(self) -> int | None:
        return self._exit_code.result() if self._exit_code.done() else None

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int, /) -> None:
        os.kill(self.pid, number)

    async def wait(self) -> int:
        return await asyncio.shield(self._exit_code)

    async def communicate(self) -> tuple[bytes | None, bytes | None]:
        """Wait until the process has ended, and return what it has written."""
        out, err = await asyncio.gather(_rest(self.stdout), _rest(self.stderr))
        await self.wait()
        return out, err


async def _rest(reader: asyncio.StreamReader | None) -> bytes | None:
    return await reader.read() if reader else None


class ForkServer:
    """The running program `tests.support.fork_server`."""

    def __init__(self) -> None:
        self._requests, requests = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with requests:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "tests.support.fork_server", str(requests.fileno())],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"]},
                pass_fds=[requests.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def send(self, request: Mapping[str, Any], *descriptors: int) -> None:
        socket.send_fds(self._requests, [json.dumps(request).encode()], descriptors)

    def stop(self) -> None:
        self._requests.close()
        self._process.wait()


@cache
def _fork_server() -> ForkServer:
    server = ForkServer()
    atexit.register(server.stop)
    return server
