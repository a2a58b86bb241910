"""Finished videos, and the ways of handing one over."""

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

    #: Id of the job that made it.
    job_id: str
    #: Size of the file in bytes.
    size: int
    #: SHA-256 of the file in hex.
    sha256: str
    #: Unix seconds when it was first published; clients' undelivered videos age from here.
    created_at: float
    #: Unix seconds when the requester first got it: by upload, link, DM or download. None: not
    #: yet. Set by the delivery and by the file server.
    delivered_at: float | None = None
    #: Number of times that its share links were withdrawn: only links with this number are valid.
    share_serial: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedVideo:
    """A finished file in the workspace; `note` is the locale key of a sentence about it."""

    path: Path
    note: str | None = None


class Handover(StrEnum):
    """The outcome of a delivery: on the card, left to the DM, or held for the operator."""

    CARD = "card"
    DM = "dm"
    HELD = "held"
