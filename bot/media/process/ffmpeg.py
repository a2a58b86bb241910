"""Finds a usable ffmpeg, and runs it in confined child processes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StartupError
from bot.media.process.child import NICENESS, Child, read_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.media.process.child import ProcessLimits

_FFMPEG_5_1 = (57, 28)  # libavutil's version; distributions write that of ffmpeg in many ways
_BACKGROUND_NICENESS = 19
_ENCODERS = frozenset({"libx264", "aac"})


class Ffmpeg:
    """Runs at most `slots` ffmpeg processes at the same time, each confined by limits.

    `in_background`: whether these processes run only when nothing else on the machine has to run.
    """

    def __init__(self, binary: Path, *, slots: int, in_background: bool = False) -> None:
        options = ("-hide_banner", "-nostdin", "-nostats", "-y")
        niceness = _BACKGROUND_NICENESS if in_background else NICENESS
        self._child = Child(str(binary), *options, name="ffmpeg", slots=slots, niceness=niceness)
        self._filters: frozenset[str] | None = None

    async def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        limits: ProcessLimits,
        on_progress: Callable[[float], None] | None = None,
    ) -> str:
        """Run ffmpeg with `args` in `cwd`, and return the last 64 KiB of its stderr.

        The call first waits for a free slot, for as long as necessary.
        `on_progress`: is called with the number of seconds written so far, which never decreases.
        Raises MediaError if ffmpeg fails or exceeds a limit. The error is a LostChildError if the
        input is not to blame.
        """
        if on_progress is None:
            return await self._child.run(args, cwd=cwd, limits=limits)
        reporting = ("-progress", "pipe:1", *args)
        return await self._child.run(
            reporting, cwd=cwd, limits=limits, on_line=_Progress(on_progress)
        )

    async def has_filters(self, *names: str, cwd: Path, limits: ProcessLimits) -> bool:
        """Return whether this ffmpeg was built with all of the filters in `names`."""
        if self._filters is None:
            lines: list[str] = []
            await self._child.run(["-filters"], cwd=cwd, limits=limits, on_line=lines.append)
            columns = (line.split() for line in lines)
            self._filters = frozenset(each[1] for each in columns if len(each) > 1)
        return self._filters.issuperset(names)


class _Progress:
    """Parses ffmpeg's `-progress` output, and reports how many seconds were written so far."""

    def __init__(self, on_progress: Callable[[float], None]) -> None:
        self._on_progress = on_progress
        self._furthest = 0.0

    def __call__(self, line: str) -> None:
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.isdigit():
            self._furthest = max(self._furthest, int(value) / 1_000_000)
            self._on_progress(self._furthest)


async def find_ffmpeg() -> Path:
    """Return the path of the system's ffmpeg or, if that is unsuitable, of the bundled one.

    A suitable ffmpeg is version 5.1 or newer, and has the encoders libx264 and aac. Raises
    StartupError if neither is suitable.
    """
    system = await asyncio.to_thread(shutil.which, "ffmpeg")
    if system and await _is_suitable(system):
        return Path(system)
    import imageio_ffmpeg  # noqa: PLC0415 - it takes memory, and most machines have an ffmpeg

    with contextlib.suppress(RuntimeError):  # raised if there is no binary for this machine
        bundled = await asyncio.to_thread(imageio_ffmpeg.get_ffmpeg_exe)
        if await _is_suitable(bundled):
            return Path(bundled)
    raise StartupError(
        "No usable ffmpeg: install ffmpeg 5.1 or newer with libx264 and aac "
        "(Debian: apt install ffmpeg; macOS: brew install ffmpeg)."
    )


async def _is_suitable(binary: str) -> bool:
    version = re.search(
        r"libavutil\s+(\d+)\.\s*(\d+)", await read_output(binary, "-hide_banner", "-version")
    )
    if not version or (int(version[1]), int(version[2])) < _FFMPEG_5_1:
        return False
    return _ENCODERS.issubset((await read_output(binary, "-hide_banner", "-encoders")).split())
