"""Finished videos: what is known of one, and how it came into somebody's hands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Sentences that may go with a finished video.
NOTE_NOT_MERGED = "note.not_merged"
NOTE_HELD_INSTEAD = "note.held_instead"
NOTE_SILENT = "note.silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A finished video, `videos/<job_id>.mp4` below DATA_DIR; `size` in bytes, `sha256` in hex.

    `delivered_at` is None until its person, or its client, had it, in Unix seconds. `share_serial`
    is of the links to its page that are not withdrawn.
    """

    job_id: str
    size: int
    sha256: str
    created_at: float
    delivered_at: float | None = None
    share_serial: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedVideo:
    """A video in the workspace that is ready, and the sentence that goes with it."""

    path: Path
    note: str | None = None


class Handover(StrEnum):
    """How far a delivery came: on the job's card, left to the DM, or held for the operator."""

    CARD = "card"
    DM = "dm"
    HELD = "held"
