"""Reads the marks of an MP4 with code of its own, and makes clips that are marked by others."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID
from xml.etree import ElementTree as ET

from tests.support.media.mp4_forge import parse

if TYPE_CHECKING:
    from pathlib import Path

XMP = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
C2PA = UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes
TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SOURCE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"


def uuid_box(kind: bytes, content: bytes) -> bytes:
    """Return a box of an extended type."""
    return struct.pack(">I4s", 24 + len(content), b"uuid") + kind + content


def append_xmp(clip: Path, packet: str) -> Path:
    """Give a clip a packet of XMP, as others may write it, and return the clip."""
    clip.write_bytes(clip.read_bytes() + uuid_box(XMP, packet.encode()))
    return clip


def marks(clip: Path) -> list[str]:
    """Return the digital source types of all XMP boxes in a clip, in the order of the boxes."""
    return [source_in(content) for content in _packets(clip)]


def ends_with_mark(clip: Path) -> bool:
    """Tell whether the last box of a clip is XMP."""
    last = parse(clip.read_bytes())[-1]
    return last.kind == b"uuid" and last.payload.startswith(XMP)


def _packets(clip: Path) -> list[bytes]:
    boxes = [node.payload for node in parse(clip.read_bytes()) if node.kind == b"uuid"]
    return [payload[16:] for payload in boxes if payload[:16] == XMP]


def source_in(packet: bytes) -> str:
    """Return the digital source type in a packet of XMP."""
    stated = ET.fromstring(packet.decode()).iter(_SOURCE)  # noqa: S314 - our own packet
    return "".join(each.text or "" for each in stated)
