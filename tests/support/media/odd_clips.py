"""Makes clips whose pictures break, mislead or lack a part, although ffmpeg plays them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support.media import clips
from tests.support.media.forge import changed, clapper
from tests.support.media.mp4_forge import Node, edited, joined, numbers, table, traks

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.media.forge import Make

_X264 = ("-c:v", "libx264", "-preset", "ultrafast")
_TAGS = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv")
_TABLE = (b"mdia", b"minf", b"stbl")
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def two_parts(first: Make, second: Make, *handlers: bytes) -> Make:
    """Make two clips, then join them so that these tracks have two sample descriptions."""

    def make(path: Path) -> None:
        made = [path.with_name(f"{name}-{path.name}.mp4") for name in ("one", "two")]
        for one, part in zip((first, second), made, strict=True):
            one(part)
        one, two = (part.read_bytes() for part in made)
        path.write_bytes(joined(one, two, handlers=handlers or (b"vide", b"soun")))
        for part in made:
            part.unlink()

    return make


def open_groups(*options: str) -> Make:
    """Make a clip whose keyframes, after the first, need earlier pictures."""
    coding = ("-preset", "fast", "-g", "25", "-bf", "2")
    return clapper(*coding, "-x264-params", "open-gop=1:scenecut=0:bframes=2", *options)


def in_hdr(transfer: str, *coding: str, tagged: bool = True) -> Make:
    """Make a clip of four grey and four coloured stripes in BT.2020.

    `transfer` is smpte2084, arib-std-b67 or bt2020-10. `tagged`: whether the container names the
    colours.
    """
    wide = {"bt2020-10": "zscale=t=2020_10:p=2020:m=2020_ncl:r=limited"}.get(
        transfer,
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=2020,"
        f"zscale=t={transfer}:m=2020_ncl:r=limited:npl=203",
    )
    source = f"{_stripes()},{wide},format={'yuv420p' if '-8bit' in coding else 'yuv420p10le'}"
    options = tuple(each for each in coding if each != "-8bit") or _X264

    def make(path: Path) -> None:
        tags = (*_TAGS, "-color_trc", transfer)
        output = (*options, *tags, "-movflags", "+faststart", "-f", "mp4")
        clips.ffmpeg("-f", "lavfi", "-i", source, *output, str(path))

    return make if tagged else changed(make, lambda data: data.replace(b"colr", b"free"))


def _stripes() -> str:
    greys = ("0x2e2e2e", "0x757575", "0xbcbcbc", "0xffffff")
    colours = ("0xc83232", "0x32c832", "0x3232c8", "0x101010")
    boxes = [
        f"drawbox=x={40 * number}:w=40:c={colour}:t=fill"
        for number, colour in enumerate((*greys, *colours))
    ]
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    bt709 = f"format=gbrp,scale=out_color_matrix=bt709,format=yuv444p,{tags}"
    return ",".join(("color=black:s=320x180:r=25:d=0.4,format=gbrp,format=yuv444p", *boxes, bt709))


def with_thumbnail(*coding: str, frames: int = 1) -> Make:
    """Make a clip whose first picture track is a white still of `frames` frames."""

    def make(path: Path) -> None:
        clapper()(real := path.with_name(f"real-{path.name}"))
        still = ("-f", "lavfi", "-i", f"color=white:s=640x360:r=1:d={frames}")
        tracks = ("-map", "0:v", "-map", "1:v", "-map", "1:a", "-c", "copy")
        codec = coding or ("-c:v:0", "libx264")
        layout = ("-pix_fmt:v:0", "yuv420p", "-movflags", "+faststart", "-f", "mp4")
        clips.ffmpeg(*still, "-i", str(real), *tracks, *codec, *layout, str(path))
        real.unlink()

    return make


def cut_in_open_media(share: float) -> Make:
    """Make a clip whose media extend to the end of the file, then keep this share of the file."""

    def change(data: bytes) -> bytes:
        start = data.index(b"mdat") - 4
        data = data[:start] + bytes(4) + data[start + 4 :]
        return data[: int(len(data) * share)]

    return changed(clapper(), change)


def cut_between_fragments(*options: str, keep: int = 2) -> Make:
    """Make a fragmented clip, then keep only its first `keep` fragments."""

    def change(data: bytes) -> bytes:
        at = 0
        while keep >= 0:
            (size,) = struct.unpack_from(">I", data, at)
            if data[at + 4 : at + 8] in (b"moof", b"mfra") and _moofs(data[:at]) == keep:
                break
            at += size
        return data[:at]

    return changed(clapper("-g", "25", *options), change)


def _moofs(data: bytes) -> int:
    at = count = 0
    while at < len(data):
        count += data[at + 4 : at + 8] == b"moof"
        at += struct.unpack_from(">I", data, at)[0]
    return count


def with_offsets(offset: int, handler: bytes = b"vide", *, chunk: int = -1) -> Make:
    """Make a clip in which a chunk of a track is said to be at a file offset."""

    def edit(moov: Node) -> None:
        stco = traks(moov, handler)[0].at(*_TABLE, b"stco")
        offsets = numbers(stco, ">I")
        offsets[chunk] = (offset,)
        stco.payload = table(">I", offsets)

    return changed(clapper(), lambda data: edited(data, edit))


def with_c2pa(data: bytes) -> bytes:
    """Put a box like that of a C2PA manifest behind the first box of an MP4."""
    manifest = struct.pack(">I4s", 28 + 3000, b"uuid") + _C2PA + bytes(4)
    manifest += b"\0\0\0\x0emanifest\0" + bytes(range(256)) * 12
    manifest = manifest[: 28 + 3000]
    (size,) = struct.unpack_from(">I", data)

    def edit(moov: Node) -> None:
        for trak in traks(moov, b"vide") + traks(moov, b"soun"):
            stco = trak.at(*_TABLE, b"stco")
            moved = [(offset + len(manifest),) for (offset,) in numbers(stco, ">I")]
            stco.payload = table(">I", moved)

    data = edited(data, edit)
    return data[:size] + manifest + data[size:]
