"""Makes short clips and audio files for tests with ffmpeg."""

from __future__ import annotations

import subprocess
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import imageio_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterable

SPEECH = "0.4*sin(2*PI*150*t+3*sin(2*PI*3*t))*(0.55+0.45*sin(2*PI*4*t))*lt(mod(t,1.2),0.9)"
"""Audio with the rhythm of speech: syllables at 4 Hz, and a pause every 1.2 s."""

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")


@cache
def binary() -> Path:
    """Return the path of the ffmpeg that imageio-ffmpeg bundles."""
    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg(*args: str, check: bool = True) -> str:
    """Run ffmpeg and return its stderr."""
    done = subprocess.run(  # noqa: S603  # arguments from tests only
        [binary(), "-hide_banner", "-nostdin", "-y", *args],
        capture_output=True,
        timeout=120,
        check=check,
        text=True,
        errors="replace",
    )
    return done.stderr


def make(path: Path, *args: str) -> Path:
    """Write what ffmpeg makes of these arguments, which it is asked for once in a process."""
    path.write_bytes(_made(path.suffix, *args))
    return path


@lru_cache(maxsize=200)
def _made(suffix: str, *args: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, f"made{suffix}")
        ffmpeg(*args, str(path))
        return path.read_bytes()


def make_clip(
    path: Path,
    *,
    seconds: float = 2,
    size: str = "320x180",
    sound: bool = True,
    faststart: bool = True,
) -> Path:
    """Make an H.264 MP4 with a moving picture, 25 frames/s, and a 1 kHz tone in AAC."""
    picture = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25")
    tone = ("-f", "lavfi", "-i", "sine=f=1000", "-c:a", "aac") if sound else ()
    layout = ("-movflags", "+faststart" if faststart else "0")
    return make(path, *picture, *tone, "-t", str(seconds), *_H264, *layout)


def make_undecodable(clip: Path, target: Path) -> Path:
    """Copy a clip, and give it an audio track that no decoder supports."""
    content = clip.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"zsds")
    target.write_bytes(content)
    return target


def make_tone(path: Path, *, seconds: float = 2, volume: float = 0.5, frequency: int = 440) -> Path:
    """Make a steady tone; the file name's suffix selects the format (wav, ogg, mp3, ...)."""
    return make_sound(path, f"{volume}*sin(2*PI*{frequency}*t)", seconds=seconds)


def make_speech(path: Path, *, seconds: float = 2) -> Path:
    """Make an audio file whose loudness varies as in speech."""
    return make_sound(path, SPEECH, seconds=seconds)


def make_silence(path: Path, *, seconds: float = 2) -> Path:
    """Make a silent audio file."""
    return make_sound(path, "0", seconds=seconds)


def make_sound(path: Path, expression: str, *, seconds: float) -> Path:
    """Make a mono audio file from an ffmpeg expression, in which t is in seconds."""
    source = f"aevalsrc='{expression}':s=48000:d={seconds}"
    return make(path, "-f", "lavfi", "-i", source)


def make_clapper(path: Path, *, seconds: float = 4, at: float = 1, size: str = "96x54") -> Path:
    """Make an H.264 MP4 with 50 frames/s that flashes white and clicks at second `at`."""
    flash = f"drawbox=c=white:t=fill:enable='between(t,{at - 0.001},{at + 0.099})'"
    click = f"aevalsrc='0.8*sin(2*PI*2000*t)*between(t,{at},{at + 0.1})':s=48000"
    picture = ("-f", "lavfi", "-i", f"color=black:s={size}:r=50,{flash}")
    sound = ("-f", "lavfi", "-i", click, "-c:a", "aac")
    layout = ("-movflags", "+faststart")
    return make(path, *picture, *sound, "-t", str(seconds), *_H264, *layout)


def make_clicks(path: Path, *, at: Iterable[float], seconds: float) -> Path:
    """Make an audio file with a click of a tenth of a second at each of these times."""
    clicks = "+".join(f"between(t,{time},{time + 0.1})" for time in at)
    return make_sound(path, f"0.8*sin(2*PI*2000*t)*({clicks})", seconds=seconds)


def make_flashes(path: Path, *, at: Iterable[float], seconds: float) -> Path:
    """Make a silent MP4 with 100 frames/s, whose nearest frames to these times flash white."""
    flashes = "+".join(f"between(t,{time - 0.005:.6f},{time + 0.095:.6f})" for time in at)
    picture = f"color=black:s=96x54:r=100,drawbox=c=white:t=fill:enable='{flashes}'"
    return make(path, "-f", "lavfi", "-i", picture, "-t", str(seconds), *_H264)
