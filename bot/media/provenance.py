"""Marks files with their origin, for machines: XMP with IPTC's digital source type.

Written by hand: exiftool needs Perl, and python-xmp-toolkit needs Exempi, a C++ library. Any remux
by ffmpeg drops an MP4's box, so it is appended after each remux.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.files.atomic import commit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.media.mp4.boxes import Box, Boxes

MARK_BYTES = 1024
"""The size of the box, which is the same for every source."""

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PACKET = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "<Iptc4xmpExt:DigitalSourceType>{term}</Iptc4xmpExt:DigitalSourceType>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
_PACKET_END = '<?xpacket end="r"?>'
# XMP may contain the value as an element, as an attribute, or as an element's resource.
_STATED = re.compile(
    rb"DigitalSourceType\b[^<]{0,64}"
    rb"https?://cv\.iptc\.org/newscodes/digitalsourcetype/([A-Za-z]+)\s*[<\"']"
)
_MOST_READ = 64 * 1024


class DigitalSource(StrEnum):
    """The origins of our videos, as IPTC's terms for digital source types."""

    CODE = "algorithmicMedia"
    """Drawn by code that was not trained on anything."""
    MODEL = "trainedAlgorithmicMedia"
    """Made by a generative model."""
    MIX = "composite"
    """Drawn by code, with a person's voice."""
    MIX_WITH_MODEL = "compositeWithTrainedAlgorithmicMedia"
    """Partly made by a generative model: its picture has a person's voice, or its voice is laid
    over a drawn picture."""

    def with_voice(self, *, spoken: bool) -> DigitalSource:
        """Return the source of a video with a voice over it.

        `spoken`: whether the voice is a model's.
        """
        match self:
            case DigitalSource.MODEL:
                return self if spoken else DigitalSource.MIX_WITH_MODEL
            case DigitalSource.CODE | DigitalSource.MIX:
                return DigitalSource.MIX_WITH_MODEL if spoken else DigitalSource.MIX
            case DigitalSource.MIX_WITH_MODEL:
                return self


def xmp_packet(source: DigitalSource, *, room: int = 0) -> str:
    """Return the XMP that states a source, in ASCII.

    `room`: the least number of characters. Spaces before the packet's end fill it, as XMP allows.
    """
    packet = _PACKET.format(term=_TERMS + source)
    return packet.ljust(room - len(_PACKET_END)) + _PACKET_END


def append_mark(path: Path, source: DigitalSource) -> None:
    """Append the mark to a finished MP4 that we wrote. Its boxes must state sizes (blocking).

    The mark is never appended to another program's file: that would invalidate the signature in its
    C2PA manifest.
    """
    with path.open("ab") as file:
        file.write(_mark(source))


def commit_marked(part: Path, target: Path, source: DigitalSource) -> None:
    """Mark the finished MP4 `part`, and rename it to `target`, as `commit` does (blocking)."""
    append_mark(part, source)
    commit(part, target)


def read_mark(boxes: Boxes, top: Iterable[Box]) -> DigitalSource | None:
    """Return the source that an MP4 states in an XMP box; None: no source, or none of ours."""
    with suppress(MediaError):  # a damaged mark doesn't make the clip unusable
        for box in top:
            if box.kind == b"uuid" and boxes.at(box.start, len(_XMP)) == _XMP:
                return _stated(boxes.at(box.start, min(box.end - box.start, _MOST_READ)))
    return None


def _stated(packet: bytes) -> DigitalSource | None:
    found = _STATED.search(packet)
    term = found[1].decode() if found else ""
    return DigitalSource(term) if term in set(DigitalSource) else None


def _mark(source: DigitalSource) -> bytes:
    content = xmp_packet(source, room=MARK_BYTES - 8 - len(_XMP)).encode()
    return struct.pack(">I4s", MARK_BYTES, b"uuid") + _XMP + content
