"""Runs a program in a confined child process. No other module starts processes.

psutil is not used, because it can't stop a child at a wall-clock limit or when its parent dies.
bubblewrap is not used, because it needs user namespaces, which Docker forbids by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import shutil
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

_PROBE_SECONDS = 10
_TAIL_BYTES = 64 * 1024
NICENESS = 10
_CPU_GRACE_SECONDS = 5
# If a child ends with one of these codes, its input is not to blame. setpriv and prlimit exit with
# 126 or 127 if they can't start the program. The OOM killer sends SIGKILL.
_NOT_AT_FAULT = frozenset({126, 127, -signal.SIGKILL})
_KEPT_ENV = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")  # other variables may hold secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimits:
    """The limits of a child process.

    `memory_bytes`: the limit on the child's address space.
    `file_bytes`: the limit on the size of each file that the child writes.
    """

    wall_seconds: float = 120
    cpu_seconds: int = 240
    memory_bytes: int = 2 * 1024**3
    file_bytes: int = 2 * 1024**3


class LostChildError(MediaError):
    """A child was not started, or was killed from outside. Its input file is not to blame."""


class Child:
    """Runs at most `slots` copies of a command at the same time.

    A copy is killed when it exceeds a limit, when its task is cancelled, or when this process ends.
    `name`: the command's name in error messages.
    `niceness`: the priority of the copies. At 19, they run only when nothing else has to run.
    `environment`: variables that are set in addition to the few that a child inherits.
    """

    def __init__(
        self,
        *command: str,
        name: str,
        slots: int,
        niceness: int = NICENESS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._name = name
        self._slots = asyncio.Semaphore(slots)
        self._niceness = niceness
        self._environment = environment or {}
        self._guard: tuple[str, ...] | None = None
        # `nice` and `prlimit` apply the limits before the child executes its first instruction.
        self._nice = shutil.which("nice")
        self._prlimit = shutil.which("prlimit")

    async def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        limits: ProcessLimits,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Run the command with `args` in `cwd`, and return the last 64 KiB of its stderr.

        The call first waits for a free slot, for as long as necessary.
        `on_line`: is called with each line of the command's stdout. Raises MediaError if the
        command fails or exceeds a limit. The error is a LostChildError if the input is not to
        blame.
        """
        async with self._slots:
            child = await self._spawn(args, cwd, limits)
            stderr = _Tail(_TAIL_BYTES)
            readers = _start_readers(child, stderr, self._name, on_line)
            try:
                _apply_limits(child.pid, limits, self._niceness)
                async with asyncio.timeout(limits.wall_seconds):
                    await _wait_for_readers(readers)
                    code = await child.wait()
            except TimeoutError:
                reason = f"{self._name} took longer than {limits.wall_seconds:g} s"
                raise MediaError(reason, stderr.text()) from None
            finally:
                _kill(child)
                await asyncio.wait(readers)
                await child.wait()
        if code in _NOT_AT_FAULT:
            raise LostChildError(f"{self._name} ended with {_exit_name(code)}", stderr.text())
        if code:
            raise MediaError(f"{self._name} ended with {_exit_name(code)}", stderr.text())
        return stderr.text()

    async def _spawn(
        self, args: Sequence[str], cwd: Path, limits: ProcessLimits
    ) -> asyncio.subprocess.Process:
        if self._guard is None:
            self._guard = await _find_parent_death_guard()
        try:
            return await asyncio.create_subprocess_exec(
                *self._limiting_prefix(limits),
                *self._guard,
                *self._command,
                *args,
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={**_environment(), **self._environment},
            )
        except OSError as error:
            raise LostChildError(f"{self._name} can't be started: {error.strerror}") from error

    def _limiting_prefix(self, limits: ProcessLimits) -> tuple[str, ...]:
        nice = (self._nice, "-n", str(self._niceness)) if self._nice else ()
        if self._prlimit is None:
            return nice
        options = (f"--{option}={soft}:{hard}" for _, option, soft, hard in _rlimits(limits))
        return (*nice, self._prlimit, *options)


class _Tail:
    """Keeps the last `limit` bytes of a stream."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()

    def add(self, chunk: bytes) -> None:
        self._kept += chunk
        del self._kept[: -self._limit]

    def text(self) -> str:
        return self._kept.decode(errors="replace")


def _start_readers(
    child: asyncio.subprocess.Process,
    tail: _Tail,
    name: str,
    on_line: Callable[[str], None] | None,
) -> set[asyncio.Task[None]]:
    if child.stdout is None or child.stderr is None:
        raise RuntimeError("the child was started without pipes")
    return {
        asyncio.create_task(_keep_tail(child.stderr, tail), name=f"{name}.stderr"),
        asyncio.create_task(_forward_lines(child.stdout, on_line), name=f"{name}.stdout"),
    }


async def _wait_for_readers(readers: set[asyncio.Task[None]]) -> None:
    # If this function is cancelled, wait() doesn't cancel the readers. They end when the pipes are
    # closed.
    done, _ = await asyncio.wait(readers, return_when=asyncio.FIRST_EXCEPTION)
    for reader in done:
        reader.result()


async def _keep_tail(stream: asyncio.StreamReader, tail: _Tail) -> None:
    while chunk := await stream.read(16 * 1024):
        tail.add(chunk)


async def _forward_lines(
    stream: asyncio.StreamReader, on_line: Callable[[str], None] | None
) -> None:
    if on_line is None:
        while await stream.read(16 * 1024):
            pass
        return
    while line := await stream.readline():
        on_line(line.decode(errors="replace").strip())


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENV if name in os.environ}
    # Without MALLOC_ARENA_MAX, each thread would reserve an arena of its own, and all of them would
    # count towards the limit on the address space.
    return kept | {"LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}


def _rlimits(limits: ProcessLimits) -> list[tuple[int, str, int, int]]:
    """Return each limit with its prlimit(1) option and its soft and hard values.

    No value is higher than the same limit of this process.
    """
    cpu = limits.cpu_seconds
    wanted = (
        # The soft limit is lower, so that the child ends with SIGXCPU. With SIGKILL, it would seem
        # that the OOM killer ended the child.
        (resource.RLIMIT_CPU, "cpu", cpu, cpu + _CPU_GRACE_SECONDS),
        (resource.RLIMIT_AS, "as", limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, "fsize", limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_NOFILE, "nofile", 64, 64),
        (resource.RLIMIT_CORE, "core", 0, 0),
    )
    return [
        (kind, option, _capped(soft, kind), _capped(hard, kind))
        for kind, option, soft, hard in wanted
    ]


def _capped(limit: int, kind: int) -> int:
    _, own_limit = resource.getrlimit(kind)
    return limit if own_limit == resource.RLIM_INFINITY else min(limit, own_limit)


def _apply_limits(pid: int, limits: ProcessLimits, niceness: int) -> None:
    """Set a child's limits from this process.

    `preexec_fn` would set them in the child, but is unsafe in a process with threads.
    """
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, max(niceness, os.getpriority(os.PRIO_PROCESS, pid)))
        if sys.platform == "linux":
            for kind, _, soft, hard in _rlimits(limits):
                resource.prlimit(pid, kind, (soft, hard))


def _kill(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _exit_name(code: int) -> str:
    return f"code {code}" if code > 0 else signal.Signals(-code).name


async def _find_parent_death_guard() -> tuple[str, ...]:
    """Return a command prefix that kills a child when this process ends, or () if unavailable."""
    setpriv = await asyncio.to_thread(shutil.which, "setpriv")
    if setpriv:
        guard = (setpriv, "--pdeathsig", "KILL", "--no-new-privs")
        # BusyBox's setpriv has neither of these options.
        if await read_output(*guard, "echo", "guarded"):
            return guard
    # Without the prefix, a normal shutdown still ends every child, but after a crash they continue
    # to run.
    log.info("child.unguarded reason=no_setpriv children_end_by=cpu_limit")
    return ()


async def read_output(*command: str) -> str:
    """Return the stdout of a trusted command, or "" if it can't be started or takes over 10 s."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(),
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            answer, _ = await child.communicate()
    except TimeoutError:
        return ""
    finally:
        _kill(child)
        await child.wait()
    return answer.decode(errors="replace")
