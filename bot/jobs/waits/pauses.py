"""The longest pause in each state; a longer wait means that the clock was set meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

# The longest pause between attempts, including its random part.
_RETRY_SECONDS = 6 * 60.0
_HOUR = 60 * 60.0

MAX_PAUSES: Mapping[JobState, float] = {
    **dict.fromkeys(JobState, _RETRY_SECONDS),
    # A busy provider asks for a pause of its own choice.
    JobState.QUEUED: _HOUR,
    # A video that is too large waits for the operator.
    JobState.DELIVERING: _HOUR,
    JobState.NOTIFYING: _HOUR,
}
"""The pauses in seconds; `JobService` shortens any longer pause."""
