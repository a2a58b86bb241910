"""Turns a prompt into an MP4: draws its layers in a thread, and animates them with ffmpeg."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.media.process.child import ProcessLimits
from bot.storyboard.drawing.animation import arguments
from bot.storyboard.drawing.artwork import FPS, Artwork, Canvas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from bot.storyboard.clip_store import ClipOrder

_FILM = "film.mp4"
_DRAWN = 5  # percent, when all layers are drawn
_WRITTEN = 99  # and when ffmpeg has written its last frame
_LIMITS = ProcessLimits(
    wall_seconds=300,
    cpu_seconds=600,
    # Address space, of which each of ffmpeg's threads reserves much; it uses below 0.5 GiB.
    memory_bytes=16 * 1024**3,
    file_bytes=512 * 1024**2,
)


class ClipRenderer:
    """Renders clips of any length and even size."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg

    async def render(
        self, order: ClipOrder, folder: Path, on_progress: Callable[[int], None]
    ) -> Path:
        """Render an order's clip in `folder`, and return its file there; progress in percent.

        MediaError: ffmpeg could not do it.
        """
        art = await _draw(order, folder)
        on_progress(_DRAWN)
        share = (_WRITTEN - _DRAWN) / order.seconds
        await self._ffmpeg.run(
            arguments(art, _FILM),
            cwd=folder,
            limits=_LIMITS,
            on_progress=lambda done: on_progress(min(_WRITTEN, int(_DRAWN + done * share))),
        )
        return folder / _FILM


async def _draw(order: ClipOrder, folder: Path) -> Artwork:
    width, height = (int(side) for side in order.size.split("x"))
    stage = Canvas(width=width, height=height, frames=order.seconds * FPS)
    drawing = asyncio.create_task(
        asyncio.to_thread(_draw_now, order.prompt, stage, folder), name="storyboard.draw"
    )
    try:
        return await asyncio.shield(drawing)
    finally:
        # A thread can't be stopped: whoever removes the folder comes after it.
        await asyncio.wait({drawing})


def _draw_now(prompt: str, stage: Canvas, folder: Path) -> Artwork:
    from bot.storyboard.drawing.layers import draw  # noqa: PLC0415  # Pillow: only for those who render

    return draw(prompt, stage, folder)
