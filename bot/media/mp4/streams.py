"""Chooses which video track and which audio track of an MP4 are played."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import MediaError
from bot.media.mp4.duration import open_track
from bot.media.mp4.h264 import keeps_playing
from bot.media.mp4.sample_table import read_sample_table, sync_offsets
from bot.media.mp4.tracks import sample_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.media.mp4.boxes import Box, Boxes
    from bot.media.mp4.duration import Track
    from bot.media.mp4.h264 import H264
    from bot.media.mp4.sample_table import SampleTable

_MAX_SYNCS = 5000  # further keyframes are not checked
_MAX_TRACKS = 16  # of each kind; the lists of many tracks would take too long to read
_FEW = 0.25  # a track with less than this share of the longest one's samples is a thumbnail


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """A track that was chosen, and its sample table.

    `number`: its number among the tracks of the same kind, starting at 0.
    `entry`: the first sample description that it uses. `joined`: whether it uses several.
    """

    number: int
    track: Track
    table: SampleTable
    entry: bytes
    joined: bool

    @property
    def codec(self) -> str:
        """The codec's FourCC."""
        return self.entry[4:8].decode("latin-1")


def choose_picture(boxes: Boxes, moov: Box, traks: Sequence[Box], moofs: Sequence[Box]) -> Stream:
    """Choose the first enabled video track that isn't just a thumbnail.

    Raises MediaError if a track is damaged.
    """
    tracks = {n: open_track(boxes, moov, trak, moofs) for n, trak in enumerate(traks[:_MAX_TRACKS])}
    return _choose(boxes, tracks)


def choose_sound(
    boxes: Boxes, moov: Box, traks: Sequence[Box], moofs: Sequence[Box]
) -> Stream | None:
    """Choose the first enabled audio track, or return None if no audio track can be played."""
    tracks: dict[int, Track] = {}
    for number, trak in enumerate(traks[:_MAX_TRACKS]):
        with suppress(MediaError, struct.error):  # leave out damaged tracks
            track = open_track(boxes, moov, trak, moofs)
            if track.samples:
                tracks[number] = track
    return _choose(boxes, tracks) if tracks else None


def is_seekable(boxes: Boxes, h264: H264, video: Stream) -> bool:
    """Return whether players can start at the first frame and at every listed keyframe."""
    table, fragments = video.table, video.track.fragments
    begins = not table.chunks or table.syncs is None or 0 in table.syncs
    syncs = [*sync_offsets(table, _MAX_SYNCS)]
    later = [offset for fragment in fragments for offset in fragment.syncs]
    return begins and keeps_playing(boxes, h264, [*syncs, *later[: _MAX_SYNCS - len(syncs)]])


def _choose(boxes: Boxes, tracks: Mapping[int, Track]) -> Stream:
    most = max(track.samples for track in tracks.values())
    full = {
        number: track
        for number, track in tracks.items()
        if track.samples >= most * _FEW and (track.samples > 1 or most <= 1)
    }
    number = next((number for number, track in full.items() if track.enabled), min(full))
    track = tracks[number]
    table = read_sample_table(boxes, track.trak)
    used = [chunk.description for chunk in table.chunks if chunk.size]
    used += [fragment.description for fragment in track.fragments if fragment.count]
    return Stream(
        number=number,
        track=track,
        table=table,
        entry=sample_entry(boxes, track.trak, used[0] if used else 1),
        joined=len({1, *used}) > 1,
    )
