"""The words with which finished videos say how they were made: with AI, or drawn by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.artifacts import NOTE_NOT_MERGED

if TYPE_CHECKING:
    from bot.model import Job

_DRAWING = "storyboard"


def made_with(job: Job) -> str:
    """Return the last part of a locale key for the way in which a job's video was made.

    `ai`: by a model. `drawn`: by code alone. `drawn_spoken`: by code, with a text that a model
    speaks.
    """
    if job.backend != _DRAWING:
        return "ai"
    has_text = job.attachment is not None and job.attachment.text is not None
    return "drawn_spoken" if has_text and job.note != NOTE_NOT_MERGED else "drawn"
