"""Clips of an exact size, and a plain remux to compare with."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import TYPE_CHECKING

from bot.media.process.ffmpeg import find_ffmpeg
from tests.clips import make_speech

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 8
_SOUND_BITS = 128_000
_FREE_BOX = struct.Struct(">I4s")
_FILLED = 0.97
_ROOM = 0.995


class Media:
    """Makes files in `folder`, with the ffmpeg that the bot would use."""

    def __init__(self, folder: Path, ffmpeg: Path) -> None:
        self._folder = folder
        self._ffmpeg = ffmpeg

    @classmethod
    async def open(cls, folder: Path) -> Media:
        """Look for ffmpeg."""
        return cls(folder, await find_ffmpeg())

    async def clip(self, size: int) -> Path:
        """Make an MP4 of 8 s, H.264 and AAC, faststart, that has exactly `size` bytes."""
        path = self._folder / f"clip-{size}.mp4"
        rate = int(size * 8 * _ROOM / SECONDS) - _SOUND_BITS
        await self._run(
            *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25"),
            *("-f", "lavfi", "-i", "sine=f=1000"),
            *("-t", str(SECONDS), "-c:a", "aac", "-b:a", str(_SOUND_BITS)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            # A constant rate: what the picture does not need is filled up.
            *("-x264-params", "nal-hrd=cbr:force-cfr=1", "-bufsize", str(rate // 10)),
            *("-b:v", str(rate), "-minrate", str(rate), "-maxrate", str(rate)),
            *("-movflags", "+faststart", str(path)),
        )
        await asyncio.to_thread(_pad, path, size)
        return path

    async def speech(self) -> Path:
        """Make a narration as long as a clip, in WAV."""
        return await asyncio.to_thread(make_speech, self._folder / "speech.wav", seconds=SECONDS)

    async def remux(self, clip: Path) -> float:
        """Copy the streams of a clip into a new file, and return the seconds that it took."""
        began = time.perf_counter()
        await self._run(
            *("-i", str(clip), "-c", "copy"),
            *("-movflags", "+faststart", str(self._folder / "remuxed.mp4")),
        )
        return time.perf_counter() - began

    async def version(self) -> str:
        """Say which ffmpeg it is."""
        child = await asyncio.create_subprocess_exec(
            self._ffmpeg, "-version", stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await child.communicate()
        return answer.decode().split()[2]

    async def _run(self, *arguments: str) -> None:
        child = await asyncio.create_subprocess_exec(
            self._ffmpeg, "-v", "error", "-nostdin", "-y", *arguments
        )
        if await child.wait():
            raise RuntimeError(f"ffmpeg ended with {child.returncode}")


def _pad(path: Path, size: int) -> None:
    written = path.stat().st_size
    if not _FILLED * size <= written <= size - _FREE_BOX.size:
        raise RuntimeError(f"a clip of {size} bytes came out with {written}")
    with path.open("r+b") as file:
        file.seek(written)
        file.write(_FREE_BOX.pack(size - written, b"free"))
        file.truncate(size)
