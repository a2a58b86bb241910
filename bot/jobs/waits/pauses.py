"""The longest pause in each state. If a job waits longer, the clock was changed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

# The longest pause between two attempts, including its random part.
_RETRY_SECONDS = 6 * 60.0
_HOUR = 60 * 60.0

MAX_PAUSES: Mapping[JobState, float] = {
    **dict.fromkeys(JobState, _RETRY_SECONDS),
    # A busy provider can ask for a long pause.
    JobState.QUEUED: _HOUR,
    # If a video is too large, its delivery waits until the operator acts.
    JobState.DELIVERING: _HOUR,
    JobState.NOTIFYING: _HOUR,
}
"""The maximum in seconds. `JobService` shortens any longer pause to it."""
