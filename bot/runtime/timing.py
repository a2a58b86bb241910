"""How patient the parts are with each kind of backend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.pacing import Cadence, Pace, Settling

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend

SUBMIT_SECONDS = 120.0
# Gemini may answer only when the clip is made, and put the clip into each answer. Nothing of a
# create in doubt can be looked up there: how long it settles makes no difference.
GEMINI_SUBMIT_SECONDS = 600.0
GEMINI_ANSWER_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How patient the parts are; the demo and the tests are less so.

    `acknowledge` is how many seconds a command has to post its card before that is looked for, and
    `login_pause` how many there are between two logins where Discord can't be reached, at first.
    """

    settling: Settling
    cadence: Cadence
    pace: Pace = field(default_factory=Pace)
    acknowledge: float = 10.0
    login_pause: float = 5.0


# The embedded renderer is on this machine, and ends with this process.
NEAR = Timing(
    settling=Settling(first=2.0, apart=2.0), cadence=Cadence(first=2.0, growth=1.2, ceiling=10.0)
)
FAR = Timing(
    settling=Settling(first=SUBMIT_SECONDS + 60.0, apart=60.0),
    cadence=Cadence(first=5.0, growth=1.25, ceiling=15.0),
)
# While webhooks wake the poller, it only has to cover those that never come.
QUIET = Timing(settling=FAR.settling, cadence=Cadence(first=5.0, growth=1.5, ceiling=30.0))


def timing_for(backend: VideoBackend) -> Timing:
    """Return what suits a backend."""
    if backend.name == "storyboard":
        return NEAR
    return QUIET if backend.capabilities.webhooks else FAR
