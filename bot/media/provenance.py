"""Marks files with their origin in XMP metadata, as an IPTC digital source type.

exiftool is not used, because it needs Perl. python-xmp-toolkit is not used, because it needs the
C++ library Exempi. ffmpeg drops the mark of an MP4 whenever it writes a copy, so the mark is
appended to the finished copy.
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
"""The size of a mark in an MP4, which is the same for every source."""

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
# In XMP, the value may be the text of an element, an attribute, or the resource of an element.
_STATED = re.compile(
    rb"DigitalSourceType\b[^<]{0,64}"
    rb"https?://cv\.iptc\.org/newscodes/digitalsourcetype/([A-Za-z]+)\s*[<\"']"
)
_MOST_READ = 64 * 1024


class DigitalSource(StrEnum):
    """The origins of our videos. The values are IPTC's terms for digital source types."""

    CODE = "algorithmicMedia"
    """The picture is drawn by code that was not trained on anything."""
    MODEL = "trainedAlgorithmicMedia"
    """The video is made by a generative model."""
    MIX = "composite"
    """The picture is drawn by code, and the voice is a person's."""
    MIX_WITH_MODEL = "compositeWithTrainedAlgorithmicMedia"
    """Either the picture is made by a model and the voice is a person's, or the picture is drawn

    by code and the voice is a model's.
    """

    def with_voice(self, *, spoken: bool) -> DigitalSource:
        """Return the digital source type of the video after a voice is added.

        `spoken`: whether the voice is a model's, and not a person's.
        """
        match self:
            case DigitalSource.MODEL:
                return self if spoken else DigitalSource.MIX_WITH_MODEL
            case DigitalSource.CODE | DigitalSource.MIX:
                return DigitalSource.MIX_WITH_MODEL if spoken else DigitalSource.MIX
            case DigitalSource.MIX_WITH_MODEL:
                return self


def xmp_packet(source: DigitalSource, *, room: int = 0) -> str:
    """Return the XMP packet that states a source, in ASCII.

    `room`: the minimum number of characters. The packet is filled with spaces, as XMP allows.
    """
    packet = _PACKET.format(term=_TERMS + source)
    return packet.ljust(room - len(_PACKET_END)) + _PACKET_END


def append_mark(path: Path, source: DigitalSource) -> None:
    """Append the mark to a finished MP4 whose boxes all state their sizes. Blocks the thread.

    The file must be one that we wrote. A file from another program may contain a C2PA manifest, and
    the mark would invalidate its signature.
    """
    with path.open("ab") as file:
        file.write(_mark(source))


def commit_marked(part: Path, target: Path, source: DigitalSource) -> None:
    """Mark the finished MP4 `part`, and rename it to `target`. Blocks the thread."""
    append_mark(part, source)
    commit(part, target)


def read_mark(boxes: Boxes, top: Iterable[Box]) -> DigitalSource | None:
    """Return the source that an MP4 states, or None if it is not a source that we write."""
    with suppress(MediaError):  # a clip with a damaged mark is still usable
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
