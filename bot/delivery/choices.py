"""Which buttons a card offers: what its person may want to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.buttons import Action
from bot.model import CANCELLABLE, JobState
from bot.moderation.base import Reason

if TYPE_CHECKING:
    from bot.model import Failure, Job

FINISHED = (Action.AGAIN, Action.EDIT, Action.NARRATE, Action.DELETE)

# The same prompt would be refused again.
_ABOUT_THE_PROMPT = frozenset({"failed.moderated", "failed.invalid", *Reason})


def choices_for(job: Job) -> tuple[Action, ...]:
    """Return what stands on the card of a job without a video, the most likely first."""
    if job.state in CANCELLABLE:
        return (Action.CANCEL,)
    match job.state:
        case JobState.UNDECIDED:
            return (Action.RETRY, Action.GIVE_UP)
        case JobState.CANCELLED | JobState.FAILED if job.clip_of is not None:
            # Again would make a new video; the one that it was about has a card of its own.
            return ()
        case JobState.CANCELLED:
            return (Action.AGAIN, Action.EDIT)
        case JobState.FAILED:
            return _after(job.failure)
        case _:
            return ()


def _after(failure: Failure | None) -> tuple[Action, ...]:
    key = failure.key if failure else ""
    if key in _ABOUT_THE_PROMPT:
        return (Action.EDIT,)
    # A button can't bring another attachment: that takes the command.
    return () if key.startswith("audio.") else (Action.AGAIN, Action.EDIT)
