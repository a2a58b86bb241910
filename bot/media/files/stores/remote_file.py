"""RemoteFile: reads a kept file that is on another machine, in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A kept file. `read` returns a part of the file. `modified_at` is a Unix time."""

    size: int
    modified_at: float
    read: Callable[[range], Awaitable[bytes]]
