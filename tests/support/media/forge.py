"""Makes audio and video files of all kinds with ffmpeg.

Their sound starts after one second of silence, and their picture flashes at the same time, so that
a result whose sound and picture are out of sync can be detected.
"""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.support.media import clips

CLAP_AT = 1.0
SECONDS = 3.0
_VOICE = "0.3*sin(2*PI*700*t)*(0.7+0.3*sin(2*PI*4*t))*gte(t,1)"

Make = Callable[[Path], None]


def sound(
    *options: str, seconds: float = SECONDS, rate: int = 48_000, layout: str = "mono"
) -> Make:
    """Make an audio file: one second of silence, then a voice."""
    voices = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}[layout]
    source = f"aevalsrc='{'|'.join([_VOICE] * voices)}':s={rate}:d={seconds}:c={layout}"
    return lambda path: _made(path, "-f", "lavfi", "-i", source, *options)


def silence(seconds: float, *options: str) -> Make:
    """Make a silent file."""
    source = f"anullsrc=r=48000:cl=mono,atrim=duration={seconds}"
    return lambda path: _made(path, "-f", "lavfi", "-i", source, *options)


def content(data: bytes | Callable[[Path], bytes]) -> Make:
    """Write bytes, or those that a function returns for the file's folder."""
    return lambda path: _write(path, data(path.parent) if callable(data) else data)


def changed(made: Make, change: Callable[[bytes], bytes]) -> Make:
    """Make a file, then change its bytes."""

    def make(path: Path) -> None:
        made(path)
        _write(path, change(path.read_bytes()))

    return make


def streamed(made: Make, layout: str) -> Make:
    """Make a file by streaming, so that its header lacks everything known only at the end."""

    def make(path: Path) -> None:
        whole = path.with_name(f"whole-{path.name}")
        made(whole)
        with path.open("wb") as file:
            command = [clips.binary(), "-v", "error", "-i", whole, "-c", "copy", "-f", layout, "-"]
            subprocess.run(command, check=True, stdout=file)  # noqa: S603 - arguments from tests only
        whole.unlink()

    return make


def clapper(
    *options: str, source: str = "", sounds: int = 1, size: str = "320x180", rate: int = 50
) -> Make:
    """Make a video that flashes and clicks at CLAP_AT."""
    flash = f"drawbox=c=white:t=fill:enable='between(t,{CLAP_AT - 0.001},{CLAP_AT + 0.099})'"
    click = f"aevalsrc='0.8*sin(2*PI*2000*t)*between(t,{CLAP_AT},{CLAP_AT + 0.1})':s=48000"
    picture = f"color=black:s={size}:r={rate}:d={SECONDS},{flash}{source}"
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", click)
    tracks = ("-map", "0:v") + ("-map", "1:a") * sounds
    output = ("-t", str(SECONDS), *tracks, "-movflags", "+faststart", *coding, "-c:a", "aac")
    return lambda path: _made(path, *inputs, *output, *options)


def copied(made: Make, *options: str) -> Make:
    """Make a file, then copy its streams. An encoder's timing would make fragments differ."""

    def make(path: Path) -> None:
        made(encoded := path.with_name(f"encoded-{path.name}"))
        _run(path, "-i", str(encoded), "-c", "copy", *options)
        encoded.unlink()

    return make


def turned(made: Make, degrees: int) -> Make:
    """Make a video whose header asks players to rotate it."""

    def make(path: Path) -> None:
        made(upright := path.with_name(f"upright-{path.name}"))
        rotation = ("-display_rotation", str(degrees), "-i", str(upright))
        _run(path, *rotation, "-c", "copy", "-movflags", "+faststart")
        upright.unlink()

    return make


def looped(made: Make, times: int) -> Make:
    """Make a file, then repeat it without decoding."""

    def make(path: Path) -> None:
        made(once := path.with_name(f"once-{path.name}"))
        _run(path, "-stream_loop", str(times), "-i", str(once), "-c", "copy")
        once.unlink()

    return make


def joined(first: Make, second: Make) -> Make:
    """Make two files, then append the second to the first."""

    def make(path: Path) -> None:
        second(behind := path.with_name(f"behind-{path.name}"))
        first(path)
        _write(path, path.read_bytes() + behind.read_bytes())
        behind.unlink()

    return make


def with_cover(made: Make, side: int) -> Make:
    """Make an audio file with an embedded cover of `side` x `side` black pixels."""

    def make(path: Path) -> None:
        bare, cover = path.with_name(f"bare-{path.name}"), path.with_name("cover.png")
        made(bare)
        _write(cover, _png(side))
        both = ("-i", str(bare), "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c", "copy")
        _run(path, *both, "-disposition:v:0", "attached_pic")
        bare.unlink()
        cover.unlink()

    return make


def _made(path: Path, *options: str) -> None:
    clips.make(path, "-v", "error", *options)


def _run(path: Path, *options: str) -> None:
    clips.ffmpeg("-v", "error", *options, str(path))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _png(side: int) -> bytes:
    """Return a black square as PNG; a large square is a small decompression bomb."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
