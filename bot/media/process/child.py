"""The one door to processes: runs a program in a confined child."""

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
_NICENESS = 10
_CPU_GRACE_SECONDS = 5
# What setpriv and prlimit say when they find nothing to start, and what an OOM killer does.
_LOST = frozenset({126, 127, -signal.SIGKILL})
_KEPT_ENV = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")  # the others may hold secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimits:
    """What one child may use: time in seconds, memory (address space) and each file in bytes."""

    wall_seconds: float = 120
    cpu_seconds: int = 240
    memory_bytes: int = 2 * 1024**3
    file_bytes: int = 2 * 1024**3


class LostChildError(MediaError):
    """The child never started, or something else than its limits killed it: no file's fault."""


class Child:
    """Runs at most `slots` copies of a command at a time; each dies with its limits, task and us.

    `name` is what errors call it; `environment` is added to the little that a child gets to see.
    """

    def __init__(
        self,
        *command: str,
        name: str,
        slots: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._name = name
        self._slots = asyncio.Semaphore(slots)
        self._environment = environment or {}
        self._guard: tuple[str, ...] | None = None
        # Where they are, the bounds hold from the first instruction on, not a moment later.
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
        """Run it with `args` in `cwd`, and return the last 64 KiB of what it wrote to stderr.

        `on_line` gets each line of its stdout. Waiting for a slot counts for no limit.
        MediaError: it failed, or it outlived a limit. LostChildError: it is not to blame.
        """
        async with self._slots:
            child = await self._spawn(args, cwd, limits)
            stderr = _Tail(_TAIL_BYTES)
            readers = _start_readers(child, stderr, self._name, on_line)
            try:
                _confine(child.pid, limits)
                async with asyncio.timeout(limits.wall_seconds):
                    await _finish(readers)
                    code = await child.wait()
            except TimeoutError:
                reason = f"{self._name} took longer than {limits.wall_seconds:g} s"
                raise MediaError(reason, stderr.text()) from None
            finally:
                _kill(child)
                await asyncio.wait(readers)
                await child.wait()
        if code in _LOST:
            raise LostChildError(f"{self._name} ended with {_name(code)}", stderr.text())
        if code:
            raise MediaError(f"{self._name} ended with {_name(code)}", stderr.text())
        return stderr.text()

    async def _spawn(
        self, args: Sequence[str], cwd: Path, limits: ProcessLimits
    ) -> asyncio.subprocess.Process:
        if self._guard is None:
            self._guard = await _find_guard()
        try:
            return await asyncio.create_subprocess_exec(
                *self._bounded(limits),
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

    def _bounded(self, limits: ProcessLimits) -> tuple[str, ...]:
        nice = (self._nice, "-n", str(_NICENESS)) if self._nice else ()
        if self._prlimit is None:
            return nice
        options = (f"--{option}={soft}:{hard}" for _, option, soft, hard in _bounds(limits))
        return (*nice, self._prlimit, *options)


class _Tail:
    """The last `limit` bytes of a stream."""

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
        asyncio.create_task(_report(child.stdout, on_line), name=f"{name}.stdout"),
    }


async def _finish(readers: set[asyncio.Task[None]]) -> None:
    # wait() leaves them running when it is cancelled: they end by themselves, with their pipes.
    done, _ = await asyncio.wait(readers, return_when=asyncio.FIRST_EXCEPTION)
    for reader in done:
        reader.result()


async def _keep_tail(stream: asyncio.StreamReader, tail: _Tail) -> None:
    while chunk := await stream.read(16 * 1024):
        tail.add(chunk)


async def _report(stream: asyncio.StreamReader, on_line: Callable[[str], None] | None) -> None:
    if on_line is None:
        while await stream.read(16 * 1024):
            pass
        return
    while line := await stream.readline():
        on_line(line.decode(errors="replace").strip())


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENV if name in os.environ}
    # Each thread's own arena would use up the limit on address space with nothing in it.
    return kept | {"LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}


def _bounds(limits: ProcessLimits) -> list[tuple[int, str, int, int]]:
    """Return each limit, its name for prlimit(1), soft and hard; none above what we have."""
    cpu = limits.cpu_seconds
    wanted = (
        # At the hard limit the kernel kills, as it does where memory has run out.
        (resource.RLIMIT_CPU, "cpu", cpu, cpu + _CPU_GRACE_SECONDS),
        (resource.RLIMIT_AS, "as", limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, "fsize", limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_NOFILE, "nofile", 64, 64),
        (resource.RLIMIT_CORE, "core", 0, 0),
    )
    return [
        (kind, option, _at_most(soft, kind), _at_most(hard, kind))
        for kind, option, soft, hard in wanted
    ]


def _at_most(bound: int, kind: int) -> int:
    _, ceiling = resource.getrlimit(kind)
    return bound if ceiling == resource.RLIM_INFINITY else min(bound, ceiling)


def _confine(pid: int, limits: ProcessLimits) -> None:
    """Bound a child from outside: code between fork and exec isn't safe where threads run."""
    with contextlib.suppress(ProcessLookupError):
        niceness = max(_NICENESS, os.getpriority(os.PRIO_PROCESS, pid))
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        if sys.platform == "linux":
            for kind, _, soft, hard in _bounds(limits):
                resource.prlimit(pid, kind, (soft, hard))


def _kill(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _name(code: int) -> str:
    return f"code {code}" if code > 0 else signal.Signals(-code).name


async def _find_guard() -> tuple[str, ...]:
    """Return the start of a command whose child ends with us; empty: this machine has none."""
    setpriv = await asyncio.to_thread(shutil.which, "setpriv")
    if setpriv:
        guard = (setpriv, "--pdeathsig", "KILL", "--no-new-privs")
        # BusyBox's knows neither word.
        if await ask(*guard, "echo", "guarded"):
            return guard
    # Orderly stops still end every child; only our sudden death would leave one behind.
    log.info("child.unguarded reason=no_setpriv children_end_by=cpu_limit")
    return ()


async def ask(*command: str) -> str:
    """Return what a command of ours writes to stdout within 10 s; empty: it doesn't say."""
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
