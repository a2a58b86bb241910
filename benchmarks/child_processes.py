"""Samples the memory of the processes that this process starts."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_PERIOD = 0.005  # seconds
_KIB = 1024


class ChildMemorySampler:
    """Samples child processes in a thread while it is entered.

    `peak`: the largest resident memory of all child processes together, in bytes. `cpu_seconds`:
    the CPU time that the sampling itself took.
    """

    def __init__(self) -> None:
        self.peak = 0
        self.cpu_seconds = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="child memory sampler")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        own_command = _command("self")
        while not self._stop.wait(_PERIOD):
            # Between fork and exec, a child still shares its parent's memory.
            children = {pid for pid in _descendants("self") if _command(pid) != own_command}
            self.peak = max(self.peak, sum(map(_rss, children)))
        self.cpu_seconds = time.thread_time()


def _descendants(pid: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield child
                    yield from _descendants(child)


def _command(pid: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _rss(pid: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * _KIB
    return 0
