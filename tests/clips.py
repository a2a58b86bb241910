"""Short clips and sounds for tests, made by ffmpeg."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg

SPEECH = "0.4*sin(2*PI*150*t+3*sin(2*PI*3*t))*(0.55+0.45*sin(2*PI*4*t))*lt(mod(t,1.2),0.9)"
"""A voice's rhythm: syllables at 4 Hz with a pause each 1.2 s."""


@cache
def binary() -> Path:
    """Return the wheel's ffmpeg."""
    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg(*args: str, check: bool = True) -> str:
    """Run ffmpeg and return its stderr."""
    done = subprocess.run(  # noqa: S603  # the arguments are the tests' own
        [binary(), "-hide_banner", "-nostdin", "-y", *args],
        capture_output=True,
        timeout=120,
        check=check,
        text=True,
        errors="replace",
    )
    return done.stderr


def make_clip(
    path: Path,
    *,
    seconds: float = 2,
    size: str = "320x180",
    sound: bool = True,
    faststart: bool = True,
) -> Path:
    """Make an H.264 MP4 with a moving picture, 25 frames/s, and a 1 kHz tone in AAC."""
    tone = ("-f", "lavfi", "-i", "sine=f=1000", "-c:a", "aac") if sound else ()
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25"),
        *tone,
        *("-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"),
        *("-pix_fmt", "yuv420p", "-movflags", "+faststart" if faststart else "0", str(path)),
    )
    return path


def make_strange(clip: Path, target: Path) -> Path:
    """Copy a clip, with a sound that nothing decodes."""
    content = clip.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"zsds")
    target.write_bytes(content)
    return target


def make_tone(path: Path, *, seconds: float = 2, volume: float = 0.5, frequency: int = 440) -> Path:
    """Make a steady sound; the name's ending chooses the format (wav, ogg, mp3, flac, m4a)."""
    return make_sound(path, f"{volume}*sin(2*PI*{frequency}*t)", seconds=seconds)


def make_speech(path: Path, *, seconds: float = 2) -> Path:
    """Make a sound with the loudness of speech over time."""
    return make_sound(path, SPEECH, seconds=seconds)


def make_silence(path: Path, *, seconds: float = 2) -> Path:
    """Make a sound file in which nothing is heard."""
    return make_sound(path, "0", seconds=seconds)


def make_sound(path: Path, expression: str, *, seconds: float) -> Path:
    """Make a mono sound of `expression`, in ffmpeg's language, with t in seconds."""
    source = f"aevalsrc='{expression}':s=48000:d={seconds}"
    ffmpeg("-f", "lavfi", "-i", source, str(path))
    return path


def make_clapper(path: Path, *, seconds: float = 4, at: float = 1, size: str = "320x180") -> Path:
    """Make an H.264 MP4 that flashes white and clicks at the same time, at `at`, 50 frames/s."""
    flash = f"drawbox=c=white:t=fill:enable='between(t,{at - 0.001},{at + 0.099})'"
    click = f"aevalsrc='0.8*sin(2*PI*2000*t)*between(t,{at},{at + 0.1})':s=48000"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s={size}:r=50,{flash}", "-f", "lavfi", "-i", click),
        *("-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", str(path)),
    )
    return path
