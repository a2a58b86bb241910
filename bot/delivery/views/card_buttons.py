"""Chooses the buttons of a card by the job's state and failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.button_ids import Action
from bot.model import CANCELLABLE, JobState
from bot.moderation.base import Reason

if TYPE_CHECKING:
    from bot.model import Job

HELD = (Action.DELETE,)
FINISHED = (Action.AGAIN, Action.EDIT, Action.NARRATE, Action.DELETE)

_REASONS = frozenset(Reason)
# If a job failed for one of these reasons, the same prompt would fail again.
_ABOUT_THE_PROMPT = _REASONS | {"failed.moderated", "failed.invalid"}


def buttons_for(job: Job) -> tuple[Action, ...]:
    """Return the buttons for a job that has no finished video. The most useful one is first."""
    if job.state in CANCELLABLE:
        return (Action.CANCEL,)
    match job.state:
        case JobState.UNDECIDED:
            return (Action.RETRY, Action.GIVE_UP)
        case JobState.CANCELLED if job.clip_of is not None:
            # There is no button "Again", because it would make a new video. The original video
            # still has its own card.
            return (Action.DELETE,)
        case JobState.CANCELLED:
            return (Action.AGAIN, Action.EDIT, Action.DELETE)
        case JobState.FAILED:
            return (*_after_failure(job), Action.DELETE)
        case _:
            return ()


def _after_failure(job: Job) -> tuple[Action, ...]:
    key = job.failure.key if job.failure else ""
    about_a_narration = key.startswith(("audio.", "speech.")) or key == "failed.not_narrated"
    is_spoken = job.attachment is not None and job.attachment.text is not None
    # Prompt and spoken text are checked together, so either may be the cause. The form that this
    # button opens can change both.
    if about_a_narration or (is_spoken and key in _REASONS):
        return (Action.ATTACH,)
    if job.clip_of is not None:
        return ()
    return (Action.EDIT,) if key in _ABOUT_THE_PROMPT else (Action.AGAIN, Action.EDIT)
