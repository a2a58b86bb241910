"""Measures the content of media files by decoding them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path

_RATE = 48_000
# The mean change of the luma from one frame to the next, of 255, from which on a picture moves.
_MOVES = 0.01


def level(path: Path, start: float, seconds: float) -> float:
    """Return the RMS level in dB of a section of a file's sound."""
    window = ("-ss", str(start), "-t", str(seconds), "-i", str(path))
    stderr = clips.ffmpeg(*window, "-map", "0:a:0", "-af", "astats", "-f", "null", "-")
    found = re.findall(r"RMS level dB: (\S+)", stderr)
    return float(found[-1])


def loudness(path: Path) -> float:
    """Return a file's loudness in LUFS."""
    return _ebur128(path, r"I:\s+(\S+) LUFS")


def true_peak(path: Path) -> float:
    """Return a file's true peak in dBTP."""
    return _ebur128(path, r"Peak:\s+(\S+) dBFS")


def sound_seconds(path: Path) -> float:
    """Return the duration of a file's decoded sound."""
    stderr = clips.ffmpeg("-i", str(path), "-map", "0:a:0", "-af", "astats", "-f", "null", "-")
    return int(re.findall(r"Number of samples: (\d+)", stderr)[-1]) / _RATE


def packets(path: Path, folder: Path, stream: str = "v:0") -> list[str]:
    """List a stream's packets: times, sizes and checksums."""
    listing = folder / f"{path.stem}.txt"
    mapped = ("-map", f"0:{stream}")
    clips.ffmpeg("-i", str(path), *mapped, "-c", "copy", "-f", "framehash", str(listing))
    return [line for line in listing.read_text().splitlines() if not line.startswith("#")]


def samples(path: Path) -> memoryview[int]:
    """Return a file's decoded sound: 48 kHz, stereo, 16 bits."""
    return memoryview(_output(path, "-map", "0:a:0", "-f", "s16le", "-")).cast("h")


def flashes(path: Path) -> list[float]:
    """Return the times, in seconds, at which the picture turns bright."""
    shown = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
    lines = _output(path, "-map", "0:v:0", "-vf", shown, "-f", "null", "-").decode()
    frames = re.findall(r"pts_time:(\S+)\nlavfi.signalstats.YAVG=(\S+)", lines)
    return _rises([(float(time), float(light) > 100) for time, light in frames])


def seconds_of(path: Path) -> float:
    """Return a file's length, as its longest track has it."""
    shown = clips.ffmpeg("-i", str(path), check=False)  # it has no output, which is an error
    hours, minutes, seconds = re.findall(r"Duration: (\d+):(\d+):(\S+),", shown)[0]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def standing_seconds(path: Path) -> float:
    """Return for how long a video's last picture stays on screen, beyond one frame."""
    shown = "signalstats,metadata=print:key=lavfi.signalstats.YDIF:file=-"
    lines = _output(path, "-map", "0:v:0", "-vf", shown, "-f", "null", "-").decode()
    frames = re.findall(r"pts_time:(\S+)\nlavfi.signalstats.YDIF=(\S+)", lines)
    times = [float(time) for time, _ in frames]
    moved = [float(time) for time, change in frames if float(change) > _MOVES]
    return max(seconds_of(path) - moved[-1] - (times[1] - times[0]), 0.0)


def clicks(path: Path) -> list[float]:
    """Return the times, in seconds, at which the sound turns loud."""
    mono = ("-map", "0:a:0", "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1")
    pcm = memoryview(_output(path, *mono, "-f", "s16le", "-")).cast("h")
    step = _RATE // 1000
    heard = [
        (start / _RATE, max(map(abs, pcm[start : start + step])) > 2500)
        for start in range(0, len(pcm), step)
    ]
    # A tone crosses zero and AAC blurs its edges, so only a rise after a pause is a click.
    rises = _rises(heard)
    return [time for n, time in enumerate(rises) if n == 0 or time - rises[n - 1] > 0.2]


def _rises(states: list[tuple[float, bool]]) -> list[float]:
    before = [False, *(state for _, state in states)]
    return [time for (time, state), earlier in zip(states, before, strict=False) if state > earlier]


def _output(path: Path, *arguments: str) -> bytes:
    command = [clips.binary(), "-v", "error", "-nostdin", "-i", path, *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - tests only


def _ebur128(path: Path, pattern: str) -> float:
    meter = ("-map", "0:a:0", "-af", "ebur128=peak=true", "-f", "null", "-")
    return float(re.findall(pattern, clips.ffmpeg("-i", str(path), *meter))[-1])
