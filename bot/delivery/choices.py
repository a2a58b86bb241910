"""Which buttons a card offers: what its person may want to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.buttons import Action
from bot.model import CANCELLABLE, JobState
from bot.moderation.base import Reason

if TYPE_CHECKING:
    from bot.model import Failure, Job

HELD = (Action.DELETE,)
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
        case JobState.CANCELLED if job.clip_of is not None:
            # Again would make a new video; the one that it was about has a card of its own.
            return (Action.DELETE,)
        case JobState.CANCELLED:
            return (Action.AGAIN, Action.EDIT, Action.DELETE)
        case JobState.FAILED:
            return (*_after(job.failure, for_a_clip=job.clip_of is not None), Action.DELETE)
        case _:
            return ()


def _after(failure: Failure | None, *, for_a_clip: bool) -> tuple[Action, ...]:
    key = failure.key if failure else ""
    if key.startswith(("audio.", "speech.")) or key == "failed.not_narrated":
        return (Action.ATTACH,)
    if for_a_clip:
        return ()
    return (Action.EDIT,) if key in _ABOUT_THE_PROMPT else (Action.AGAIN, Action.EDIT)
