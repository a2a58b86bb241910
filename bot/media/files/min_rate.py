"""Enforces a minimum rate of downloads, so that a very slow stream doesn't occupy a slot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

# At a lower rate, not even a small clip would arrive before the longest time-out.
MIN_BYTES_PER_SECOND = 4096
WINDOW_SECONDS = 30.0


async def enforce_min_rate(
    chunks: AsyncIterable[bytes], *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """Yield `chunks` unchanged.

    Raises TimeoutError if they arrive more slowly than the minimum rate.
    """
    since, received = clock(), 0
    async for chunk in chunks:
        received += len(chunk)
        passed = clock() - since
        if passed >= WINDOW_SECONDS:
            if received < MIN_BYTES_PER_SECOND * passed:
                raise TimeoutError(f"only {received} bytes arrived in {passed:.0f} s")
            since, received = clock(), 0
        yield chunk
