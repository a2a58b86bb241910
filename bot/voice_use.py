"""Whether a narration goes along with an order, so that the model can hear it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VoiceUse(StrEnum):
    """The use of a job's narration as the reference of its create request."""

    ALLOWED = "allowed"  # it may go along
    SENT = "sent"  # it went along with the latest create request
    WITHHELD = "withheld"  # the requester has not agreed
    UNSUPPORTED = "unsupported"  # the service or the model takes no sound
    REFUSED = "refused"  # the service has refused it
    NO_LINK = "no_link"  # the service takes a link, but the bot has no https address
    TOO_LONG = "too_long"  # it does not fit into a request
    UNPREPARED = "unprepared"  # it could not be encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedVoice:
    """The use of a narration in a job, decided when the job is ordered and when it is submitted.

    `use`: None if the operator's setting keeps narrations here, or if there is nothing to send.
    `service`: the service that may hear the narration, or "" if none may.
    """

    use: VoiceUse | None = None
    service: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmittedVoice:
    """The use of a narration in one create request.

    `digest`: the SHA-256 digest of the sound that goes along, in hex, or "" if none does.
    """

    use: VoiceUse | None = None
    digest: str = ""


NO_VOICE = OrderedVoice()
UNGUIDED = SubmittedVoice()
