"""Tells requesters how a video was made."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bot.artifacts import NOTE_NOT_MERGED

if TYPE_CHECKING:
    from bot.model import Job

_DRAWING = "storyboard"


class MadeWith(StrEnum):
    """The way in which a video was made: by an AI model, by code, or by code with an AI voice."""

    AI = "ai"
    DRAWN = "drawn"
    DRAWN_SPOKEN = "drawn_spoken"


def made_with(job: Job) -> MadeWith:
    """Return the way in which a job's video was made.

    The value is part of the locale keys `made.*` for cards and `origin.*` for DMs and pages.
    """
    if job.backend != _DRAWING:
        return MadeWith.AI
    has_text = job.attachment is not None and job.attachment.text is not None
    is_spoken = has_text and job.note != NOTE_NOT_MERGED
    return MadeWith.DRAWN_SPOKEN if is_spoken else MadeWith.DRAWN
