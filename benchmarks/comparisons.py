"""Other ways to lay a narration over a clip: MoviePy, and a full encode with libx264."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_INSTALL_SECONDS = 300
_SCRIPT = """
import sys
from moviepy import AudioFileClip, VideoFileClip
clip, voice, target = sys.argv[1:]
video = VideoFileClip(clip).with_audio(AudioFileClip(voice))
video.write_videofile(target, codec="libx264", audio_codec="aac", logger=None)
"""


class Moviepy:
    """MoviePy in a virtual environment of its own; `version` is what pip chose."""

    def __init__(self, python: Path, version: str) -> None:
        self._python = python
        self.version = version

    @classmethod
    async def install(cls, folder: Path) -> Moviepy | None:
        """Install it below `folder`; None: that can't be done here."""
        python = folder / "bin" / "python"
        pip = (str(python), "-m", "pip", "--disable-pip-version-check")
        for command in (
            (sys.executable, "-m", "venv", str(folder)),
            (*pip, "install", "-qq", "moviepy"),
        ):
            if await _output(*command) is None:
                return None
        shown = await _output(*pip, "show", "moviepy") or ""
        fields = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
        return cls(python, fields.get("Version", "of unknown version"))

    async def replace(self, clip: Path, voice: Path, target: Path) -> None:
        """Put the voice in place of the clip's sound, as MoviePy's own pages show it."""
        await run(str(self._python), "-c", _SCRIPT, str(clip), str(voice), str(target))


def full_encode(clip: Path, voice: Path, target: Path) -> tuple[str, ...]:
    """Return ffmpeg's arguments to do the same with libx264's defaults at a high quality."""
    return (
        *("-v", "error", "-i", f"file:{clip}", "-i", f"file:{voice}"),
        *("-map", "0:v:0", "-map", "1:a:0", "-c:v", "libx264", "-crf", "18"),
        *("-c:a", "aac", "-b:a", "160k", "-shortest", "-movflags", "+faststart", f"file:{target}"),
    )


async def run(*command: str) -> None:
    """Run a command; RuntimeError: it failed."""
    if await _output(*command) is None:
        raise RuntimeError(f"{command[0]} failed")


async def _output(*command: str) -> str | None:
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_INSTALL_SECONDS):
            answer, _ = await child.communicate()
    except TimeoutError:
        child.kill()
        await child.wait()
        return None
    return None if child.returncode else answer.decode()
