"""A listener to ffmpeg's progress."""

from __future__ import annotations

import asyncio


class Started:
    """An `on_progress` that sets an event when ffmpeg has started, and keeps all values."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.event.set()
