"""Measures the memory and the CPU time of a process from outside, in /proc."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

KIB = 1024
MIB = 1024 * KIB
_PERIOD = 0.02  # seconds
_RESET_PEAK = "5"  # proc(5): this value in clear_refs resets VmHWM


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Bytes of memory: resident, proportional share of shared pages, and private."""

    rss: int
    pss: int
    uss: int


def measure_memory(pid: int) -> Memory:
    """Measure the current memory of a process."""
    fields = _fields(pid, "smaps_rollup")
    private = sum(size for name, size in fields.items() if name.startswith("Private_"))
    return Memory(rss=fields["Rss"], pss=fields["Pss"], uss=private)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of all its threads, without its child processes."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def has_mapped(pid: int, library: str) -> bool:
    """Tell whether the path of a file that a process has mapped contains `library`."""
    return library in Path(f"/proc/{pid}/maps").read_text()


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The peak memory of a process while it was sampled, in bytes.

    `exact`: whether the kernel recorded `rss`; otherwise it is the largest sample. `children`: the
    largest sum over all descendants. `rate`: the number of samples per second.
    """

    rss: int
    children: int
    exact: bool
    rate: float


class MemorySampler:
    """Samples a process in a thread while it is entered; read `peak` afterwards."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"memory sampler {pid}")
        self._largest_rss = 0
        self._children = 0
        self._samples = 0
        self._exact = False
        self._started = self._seconds = 0.0
        self._high_water = 0

    @property
    def peak(self) -> Peak:
        """The peak of the whole block."""
        return Peak(
            rss=max(self._largest_rss, self._high_water),
            children=self._children,
            exact=self._exact,
            rate=self._samples / self._seconds,
        )

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._pid}/clear_refs").write_text(_RESET_PEAK)
            self._exact = True
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._seconds = time.perf_counter() - self._started
        if self._exact:
            self._high_water = _fields(self._pid, "status").get("VmHWM", 0)

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            self._largest_rss = max(self._largest_rss, _rss(self._pid))
            self._children = max(self._children, sum(map(_rss, _descendants(self._pid))))
            self._samples += 1


def _fields(pid: int, name: str) -> dict[str, int]:
    """Read the lines of the form `Name: 12 kB`; return bytes by name."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
        words = line.split()
        if words[-1:] == ["kB"]:
            found[words[0].rstrip(":")] = int(words[1]) * KIB
    return found


def _rss(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return _fields(pid, "status").get("VmRSS", 0)
    return 0


def _descendants(pid: int) -> Iterator[int]:
    # Between fork and exec, a child still shares its parent's memory.
    parent = _command(pid)
    for child in _children(pid):
        if _command(child) != parent:
            yield child
        yield from _descendants(child)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
