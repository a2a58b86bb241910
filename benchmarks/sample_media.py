"""Makes clips of an exact size and narrations, and times a plain remux."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import TYPE_CHECKING

from bot.media.process.ffmpeg import find_ffmpeg
from tests.support.media.clips import make_speech

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECONDS = 8
_SOUND_BITS = 128_000
_FREE_BOX = struct.Struct(">I4s")
# An encoded clip must have at least this share of the size; a free box fills the rest.
_MIN_SHARE = 0.97
_TARGET_SHARE = 0.995


class SampleMedia:
    """Makes files in `folder` with the ffmpeg that the bot finds too."""

    def __init__(self, folder: Path, ffmpeg: Path) -> None:
        self._folder = folder
        self._ffmpeg = ffmpeg

    @classmethod
    async def open(cls, folder: Path) -> SampleMedia:
        """Find ffmpeg."""
        return cls(folder, await find_ffmpeg())

    async def clip(self, size: int) -> Path:
        """Make an MP4 of 8 s and exactly `size` bytes, in H.264 and AAC, with faststart."""
        path = self._folder / f"clip-{size}.mp4"
        rate = int(size * 8 * _TARGET_SHARE / SECONDS) - _SOUND_BITS
        options = {
            "-t": str(SECONDS),
            "-c:a": "aac",
            "-b:a": str(_SOUND_BITS),
            "-c:v": "libx264",
            "-preset": "ultrafast",
            "-pix_fmt": "yuv420p",
            # At a constant bit rate, the encoder adds filler data to a simple picture.
            "-x264-params": "nal-hrd=cbr:force-cfr=1",
            "-bufsize": str(rate // 10),
            "-b:v": str(rate),
            "-minrate": str(rate),
            "-maxrate": str(rate),
            "-movflags": "+faststart",
        }
        picture = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25")
        sound = ("-f", "lavfi", "-i", "sine=f=1000")
        await self._run(*picture, *sound, *as_arguments(options), str(path))
        await asyncio.to_thread(_pad, path, size)
        return path

    async def speech(self) -> Path:
        """Make a WAV narration as long as a clip."""
        return await asyncio.to_thread(make_speech, self._folder / "speech.wav", seconds=SECONDS)

    async def remux(self, clip: Path) -> float:
        """Copy the streams of a clip into a new file; return the seconds that it took."""
        target = self._folder / "remuxed.mp4"
        started = time.perf_counter()
        await self._run("-i", str(clip), "-c", "copy", "-movflags", "+faststart", str(target))
        return time.perf_counter() - started

    async def version(self) -> str:
        """Return the version of ffmpeg."""
        child = await asyncio.create_subprocess_exec(
            self._ffmpeg, "-version", stdout=asyncio.subprocess.PIPE
        )
        output, _ = await child.communicate()
        return output.decode().split()[2]

    async def _run(self, *arguments: str) -> None:
        child = await asyncio.create_subprocess_exec(
            self._ffmpeg, "-v", "error", "-nostdin", "-y", *arguments
        )
        if await child.wait():
            raise RuntimeError(f"ffmpeg exited with code {child.returncode}")


def as_arguments(options: Mapping[str, str]) -> list[str]:
    """Return ffmpeg's options as a list of arguments."""
    return [word for option in options.items() for word in option]


def _pad(path: Path, size: int) -> None:
    """Append a free box, so that the file has exactly `size` bytes."""
    encoded = path.stat().st_size
    if not _MIN_SHARE * size <= encoded <= size - _FREE_BOX.size:
        raise RuntimeError(f"a clip that should have {size} bytes was encoded with {encoded}")
    with path.open("r+b") as file:
        file.seek(encoded)
        file.write(_FREE_BOX.pack(size - encoded, b"free"))
        file.truncate(size)
