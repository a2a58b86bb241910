"""The least rate of a download: a stream that only drips must not hold its slot for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

# At this rate not even a small clip would arrive before the longest time-out.
LEAST_BYTES_PER_SECOND = 4096
WINDOW_SECONDS = 30.0


async def not_slower(
    chunks: AsyncIterable[bytes], *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """Pass chunks on; TimeoutError: in one window fewer bytes arrived than the least rate asks."""
    since, received = clock(), 0
    async for chunk in chunks:
        received += len(chunk)
        passed = clock() - since
        if passed >= WINDOW_SECONDS:
            if received < LEAST_BYTES_PER_SECOND * passed:
                raise TimeoutError(f"only {received} bytes arrived in {passed:.0f} s")
            since, received = clock(), 0
        yield chunk
