"""Renders a prompt as an MP4 file.

Image layers are drawn in a thread, and ffmpeg animates them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.media.files.atomic import run_uncancelled
from bot.media.process.child import ProcessLimits
from bot.media.provenance import DigitalSource, append_mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.media.process.ffmpeg import Ffmpeg
    from bot.storyboard.clip_store import ClipOrder

_VIDEO = "film.mp4"
_DRAWN_PERCENT = 5  # the progress when all layers have been drawn
_ENCODED_PERCENT = 99  # the progress when ffmpeg has written the last frame
_LIMITS = ProcessLimits(
    wall_seconds=300,
    cpu_seconds=600,
    # This limits the address space, of which ffmpeg's threads reserve a lot. They actually use less
    # than 0.5 GiB.
    memory_bytes=16 * 1024**3,
    file_bytes=512 * 1024**2,
)


class ClipRenderer:
    """Renders clips of any duration, and of any size in even numbers of pixels."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg

    async def render(
        self, order: ClipOrder, folder: Path, on_progress: Callable[[int], None]
    ) -> Path:
        """Render the clip of an order in `folder`, and return its file.

        `on_progress` is called with the progress in percent.

        The pictures depend on the folder's name, so that two clips of the same prompt differ.

        Raises MediaError if ffmpeg fails.
        """
        arguments = await _draw(order, folder)
        on_progress(_DRAWN_PERCENT)
        share = (_ENCODED_PERCENT - _DRAWN_PERCENT) / order.seconds
        await self._ffmpeg.run(
            arguments,
            cwd=folder,
            limits=_LIMITS,
            on_progress=lambda seconds: on_progress(
                min(_ENCODED_PERCENT, int(_DRAWN_PERCENT + seconds * share))
            ),
        )
        video = folder / _VIDEO
        # The mark says that the clip was made by code, because no trained model makes its pictures
        # or sounds.
        await run_uncancelled(append_mark, video, DigitalSource.CODE)
        return video


async def _draw(order: ClipOrder, folder: Path) -> list[str]:
    drawing = asyncio.create_task(
        asyncio.to_thread(_draw_layers, order, folder), name="storyboard.draw"
    )
    try:
        return await asyncio.shield(drawing)
    finally:
        # The thread can't be stopped. Wait until it ends, because the caller then deletes the
        # folder to which the thread writes.
        await asyncio.wait({drawing})


def _draw_layers(order: ClipOrder, folder: Path) -> list[str]:
    """Draw the layers of a clip, and return the ffmpeg arguments that animate them."""
    # All of this, with Pillow, is loaded only for rendering.
    from bot.storyboard.drawing.animation import arguments  # noqa: PLC0415
    from bot.storyboard.drawing.artwork import FPS, Canvas  # noqa: PLC0415
    from bot.storyboard.drawing.layers import draw  # noqa: PLC0415

    width, height = (int(side) for side in order.size.split("x"))
    canvas = Canvas(width=width, height=height, frames=order.seconds * FPS)
    return arguments(draw(order.prompt, canvas, folder, seed=folder.name), _VIDEO)
