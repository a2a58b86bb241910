"""Finished videos, and the outcomes of their delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Locale keys of sentences that may accompany a finished video.
NOTE_NOT_MERGED = "note.not_merged"
NOTE_HELD_INSTEAD = "note.held_instead"
NOTE_SILENT = "note.silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A finished video, the file `videos/<job_id>.mp4` below DATA_DIR.

    The workspace sets the first four fields when it publishes the file.
    """

    #: Id of the job that made the video.
    job_id: str
    #: Size of the file in bytes.
    size: int
    #: SHA-256 of the file in hex.
    sha256: str
    #: Unix time when the file was first published; a client's undelivered video ages from then.
    created_at: float
    #: Unix time when the requester first got the video (by upload, link, DM or download), or None.
    #: Set by the delivery and by the file server.
    delivered_at: float | None = None
    #: Number of times the share links were withdrawn; a link is valid only if it has this number.
    share_serial: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedVideo:
    """A finished file in the workspace; `note` is the locale key of a sentence about the file."""

    path: Path
    note: str | None = None


class Handover(StrEnum):
    """A delivery's outcome: shown on the card, left to the DM, or held until the operator acts."""

    CARD = "card"
    DM = "dm"
    HELD = "held"
