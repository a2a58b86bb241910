"""The longest pause in each state; a longer wait means that the clock was set since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

# The longest pause between retries, with jitter.
_RETRY_SECONDS = 6 * 60.0
_HOUR = 60 * 60.0

MAX_PAUSES: Mapping[JobState, float] = {
    **dict.fromkeys(JobState, _RETRY_SECONDS),
    # A busy provider sets its own pause.
    JobState.QUEUED: _HOUR,
    # A video that is too large waits for the operator.
    JobState.DELIVERING: _HOUR,
    JobState.NOTIFYING: _HOUR,
}
"""In seconds; `JobService` shortens any longer pause."""
