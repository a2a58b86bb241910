"""Lets time pass in the running event loop."""

from __future__ import annotations

import asyncio


def let_pass(seconds: float) -> None:
    """Have the running loop's clock jump, so that what waits for this long ends at once."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds


async def let_read() -> None:
    """Let the other tasks of the loop read what was sent to them."""
    for _ in range(20):
        await asyncio.sleep(0)
