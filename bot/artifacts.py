"""The data types of finished videos, and the outcomes of their delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The locale keys of sentences that may be shown with a finished video.
NOTE_NOT_MERGED = "note.not_merged"
NOTE_HELD_INSTEAD = "note.held_instead"
NOTE_SILENT = "note.silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """The record of a finished video, whose file is `videos/<job_id>.mp4` below DATA_DIR.

    The first four fields are set when the workspace publishes the file.
    """

    #: The id of the job that made the video.
    job_id: str
    #: The size of the file in bytes.
    size: int
    #: The SHA-256 of the file, in hex.
    sha256: str
    #: The Unix time at which the file was published. An API client's video expires counting from
    #: it.
    created_at: float
    #: The Unix time at which the requester first got the video, by upload, link, DM or download.
    #: None until then. Set by the delivery and by the file server.
    delivered_at: float | None = None
    #: The number of times that the share links were withdrawn. Only links with this number are
    #: valid.
    share_serial: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedVideo:
    """A finished video in the workspace. `note`: the locale key of a sentence to show with it."""

    path: Path
    note: str | None = None


class Handover(StrEnum):
    """The outcome of a delivery.

    `CARD`: the card shows the video. `DM`: the card can't, so the DM must. `HELD`: neither is
    possible until the operator acts.
    """

    CARD = "card"
    DM = "dm"
    HELD = "held"
