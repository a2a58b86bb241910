"""Makes sounds in rarer containers, chained ones, and ones that begin with something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.media import clips
from tests.support.media.forge import changed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.media.forge import Make

_RADIO = b"ICY 200 OK\r\nicy-name: Radio\r\nicy-br: 128\r\n"
_INTERVAL = 4000
_TITLE = b"\x02" + b"StreamTitle='A song';".ljust(32, b"\0")


def chained(*parts: Make) -> Make:
    """Make several files, and append them to each other."""

    def make(path: Path) -> None:
        data = b""
        for part in parts:
            part(path)
            data += path.read_bytes()
        path.write_bytes(data)

    return make


def later(frequency: int, *options: str, seconds: float = 4, rate: int = 48_000) -> Make:
    """Make a stereo tone for the links behind the first."""
    tone = f"0.3*sin(2*PI*{frequency}*t)"
    source = f"aevalsrc='{tone}|{tone}':s={rate}:d={seconds}"
    return lambda path: _run(path, source, options)


def _run(path: Path, source: str, options: tuple[str, ...]) -> None:
    clips.ffmpeg("-v", "error", "-f", "lavfi", "-i", source, *options, str(path))


def mid_frame(made: Make, *, dropped: int) -> Make:
    """Make a sound, and drop so many bytes, so that it begins in the middle of a frame."""
    return changed(made, lambda data: data[dropped:])


def from_radio(made: Make, *, titled: bool) -> Make:
    """Make a sound that begins with a radio's header; `titled`: whether it contains titles."""
    insert = _with_titles if titled else bytes
    header = _RADIO + (b"icy-metaint:%d\r\n" % _INTERVAL if titled else b"") + b"\r\n"
    return changed(made, lambda data: header + insert(data))


def _with_titles(data: bytes) -> bytes:
    blocks = [data[at : at + _INTERVAL] for at in range(0, len(data), _INTERVAL)]
    titles = [_TITLE, *(b"\0" for _ in blocks)]
    pairs = zip(blocks[:-1], titles, strict=False)
    return b"".join(block + title for block, title in pairs) + blocks[-1]


def renamed(first: bytes, made: Make, *, at: int = 0) -> Make:
    """Make a file, then overwrite bytes near its start."""
    return changed(made, lambda data: data[:at] + first + data[at + len(first) :])
