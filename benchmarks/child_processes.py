"""Watches how much memory the processes take that this one starts."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_PERIOD = 0.005  # seconds
_KIB = 1024


class ChildrenWatch:
    """From `with` on: `peak` is the most that all children together had resident, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="children.watch")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        own = _command("self")
        while not self._ended.wait(_PERIOD):
            # Between fork and exec a child is still its parent, memory and all.
            found = {child for child in _below("self") if _command(child) != own}
            self.peak = max(self.peak, sum(map(_resident, found)))


def _below(pid: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield child
                    yield from _below(child)


def _command(pid: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _resident(pid: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * _KIB
    return 0
