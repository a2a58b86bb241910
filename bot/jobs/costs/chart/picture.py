"""ChartPicture: draws figures as a PNG file, in a confined child process."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bot
from bot.media.files.atomic import run_uncancelled
from bot.media.process.child import Child, ProcessLimits

if TYPE_CHECKING:
    from bot.jobs.costs.chart.figures import Figures

_SOURCE, _TARGET = "figures.json", "chart.png"
_LIMITS = ProcessLimits(
    wall_seconds=60,
    cpu_seconds=30,
    # A chart takes 0.1 GiB. The limit is higher, because it also counts mapped font files.
    memory_bytes=1024**3,
    file_bytes=8 * 1024**2,
)
# With `-P`, Python imports no modules from the folder with the figures.
_COMMAND = (sys.executable, "-P", "-s", "-m", "bot.jobs.costs.chart")


class ChartPicture:
    """Draws one chart at a time.

    Strangers choose the names in a chart, so the text is drawn outside of the bot.
    """

    def __init__(self) -> None:
        root = Path(bot.__file__).parent.parent
        self._child = Child(*_COMMAND, name="chart", slots=1, environment={"PYTHONPATH": str(root)})

    async def draw(self, figures: Figures) -> bytes:
        """Return the chart as a PNG file. Raises MediaError if the chart can't be drawn."""
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="clapper-")
        try:
            path = Path(folder.name)
            await run_uncancelled((path / _SOURCE).write_text, figures.to_json(), encoding="utf-8")
            await self._child.run((_SOURCE, _TARGET), cwd=path, limits=_LIMITS)
            return await asyncio.to_thread((path / _TARGET).read_bytes)
        finally:
            await run_uncancelled(folder.cleanup)
