"""Chooses time-outs and pauses by the kind of backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.backends.capabilities import ServicePlace
from bot.pacing import EditIntervals, LookupDelays, PollIntervals

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend

SUBMIT_SECONDS = 120.0
# Gemini may not respond until the clip is finished, and any response may contain the clip itself.
# Gemini can't list jobs, so a lost create request can't be looked up and `lookup_delays` is unused.
GEMINI_SUBMIT_SECONDS = 600.0
GEMINI_ANSWER_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Pauses and time-outs, in seconds. The demo and the tests use shorter ones.

    `list_period`: the pause between two requests for the provider's list of jobs, if there is a
    list.
    `acknowledge`: the time within which a command has to post its card. After that, the bot looks
    for the card.
    `login_pause`: the pause before the second login attempt, if Discord can't be reached.
    `restart_pause`: the pause before a failed component is restarted or the bot reconnects to
    Discord.
    `clock_check`: the pause between two checks of whether the machine's clock was changed.
    """

    lookup_delays: LookupDelays
    poll_intervals: PollIntervals
    edit_intervals: EditIntervals = field(default_factory=EditIntervals)
    list_period: float = 2.5
    acknowledge: float = 10.0
    login_pause: float = 5.0
    restart_pause: float = 1.0
    clock_check: float = 5.0


# For the embedded renderer. It runs in this process and responds immediately.
LOCAL = Timing(
    lookup_delays=LookupDelays(first=2.0, interval=2.0),
    poll_intervals=PollIntervals(first=2.0, growth=1.2, ceiling=10.0),
)
REMOTE = Timing(
    lookup_delays=LookupDelays(first=SUBMIT_SECONDS + 60.0, interval=60.0),
    poll_intervals=PollIntervals(first=5.0, growth=1.25, ceiling=15.0),
)
# A webhook starts a poll at once. Scheduled polls only make up for lost webhooks, so they can be
# less frequent than without webhooks.
WITH_WEBHOOKS = Timing(
    lookup_delays=REMOTE.lookup_delays,
    poll_intervals=PollIntervals(first=12.0, growth=1.5, ceiling=30.0),
    list_period=10.0,
)


def timing_for(backend: VideoBackend) -> Timing:
    """Return the pauses and time-outs that suit the backend."""
    if backend.capabilities.place is ServicePlace.PROCESS:
        return LOCAL
    return WITH_WEBHOOKS if backend.capabilities.webhooks else REMOTE
