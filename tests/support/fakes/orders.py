"""The request, the narration and the origin of a command."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from bot.model import Attachment, Origin, VideoRequest
from tests.support.fakes.clock import START

REQUEST = VideoRequest(prompt="a cat on a roof", model="sora-2", seconds=8, size="1280x720")
VOICE = Attachment(url="https://cdn.example/voice.ogg?ex=1", filename="voice.ogg", size=5)

_INTERACTIONS = count(1)


def origin(**changes: object) -> Origin:
    """Return the origin of a new command, with a new interaction id."""
    template = Origin(
        interaction_id=next(_INTERACTIONS),
        application_id=11,
        user_id=1,
        guild_id=2,
        channel_id=3,
        locale="en-GB",
        token="interaction-token",
        token_until=START + 840,
        upload_limit=10_000_000,
    )
    return replace(template, **changes)  # pyright: ignore[reportArgumentType] - names of its fields
