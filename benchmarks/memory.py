"""What a process takes of the machine's memory, read from outside in /proc."""

from __future__ import annotations

import contextlib
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
_PERIOD = 0.02
_RESET_PEAK = "5"


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Bytes of memory: all that is mapped, its share of it, and what is the process's alone."""

    rss: int
    pss: int
    uss: int


def measure(pid: int) -> Memory:
    """Read how much memory a process has now."""
    fields = _fields(pid, "smaps_rollup")
    private = sum(size for name, size in fields.items() if name.startswith("Private_"))
    return Memory(rss=fields["Rss"], pss=fields["Pss"], uss=private)


def has_mapped(pid: int, library: str) -> bool:
    """Tell whether a process has loaded a shared library whose path holds `library`."""
    return library in Path(f"/proc/{pid}/maps").read_text()


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The most that a process had while it was watched, in bytes.

    `exact`: the kernel kept it; else it is the largest sample. `children` is what those that the
    process had started took at most, all together. `rate`: samples per second.
    """

    rss: int
    children: int
    exact: bool
    rate: float


class Watch:
    """Samples a process in a thread from `with` on; `peak` is for afterwards."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {pid}")
        self._largest = 0
        self._children = 0
        self._samples = 0
        self._exact = False
        self._began = self._took = 0.0
        self._high_water = 0

    @property
    def peak(self) -> Peak:
        """The most that was seen."""
        return Peak(
            rss=max(self._largest, self._high_water),
            children=self._children,
            exact=self._exact,
            rate=self._samples / self._took,
        )

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._pid}/clear_refs").write_text(_RESET_PEAK)
            self._exact = True
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._took = time.perf_counter() - self._began
        if self._exact:
            self._high_water = _fields(self._pid, "status").get("VmHWM", 0)

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD):
            self._largest = max(self._largest, _resident(self._pid))
            self._children = max(self._children, sum(map(_resident, _others_below(self._pid))))
            self._samples += 1


def _fields(pid: int, name: str) -> dict[str, int]:
    """Read the lines `Name: 12 kB` of a file, in bytes."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
        words = line.split()
        if words[-1:] == ["kB"]:
            found[words[0].rstrip(":")] = int(words[1]) * KIB
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return _fields(pid, "status").get("VmRSS", 0)
    return 0


def _others_below(pid: int) -> Iterator[int]:
    # Between fork and exec a child is still its parent, memory and all.
    parent = _command(pid)
    for child in _children(pid):
        if _command(child) != parent:
            yield child
        yield from _others_below(child)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
