"""The optional features of video services. The code, `doctor` and the documentation use them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ServicePlace(StrEnum):
    """The place where a video service runs."""

    PROCESS = "in the bot's own process"
    ANY_SERVER = "a server that the operator chooses"
    INTERNET = "on the internet"


class SoundForm(StrEnum):
    """The form in which a create request contains a sound."""

    DATA_URL = "data URL"
    LINK = "link"


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """The optional features of a video service.

    `lengths`: the lengths of clips on offer, in whole seconds and ascending order. Empty if they
    are unknown.
    `sizes`: the sizes on offer, such as "1280x720". Empty if they are unknown.
    `sound_forms`: the forms in which an order can contain a sound as a reference, the preferred
    form first. Empty if the service or the model accepts no audio.
    `webhooks`: whether the service reports the end of a job with a verifiable webhook.
    `lists`: whether the API has a list of jobs with their states.
    `own_list`: whether the complete list can always be trusted. It can if the provider runs in this
    process.
    `echoes`: the parts of an order that every list of the service repeats: "prompt", "seconds" and
    "size".
    `idempotency`: whether the service recognises a create request that is repeated.
    `cancels`: whether the API can stop or delete a job.
    `progress`: whether the service reports a percentage.
    `place`: the place where the service runs.
    `prompt_characters`: the length of the longest prompt that the provider accepts. The default is
    the length of the longest prompt that a requester can type.
    `second_dollars`: the provider's list price of a second of video with the operator's presets, or
    None if it is unknown.
    """

    lengths: tuple[int, ...] = ()
    sizes: tuple[str, ...] = ()
    sound_forms: tuple[SoundForm, ...] = ()
    webhooks: bool = False
    lists: bool = False
    own_list: bool = False
    echoes: frozenset[str] = frozenset()
    idempotency: bool = False
    cancels: bool = False
    progress: bool = False
    place: ServicePlace = ServicePlace.INTERNET
    prompt_characters: int = 2000
    second_dollars: float | None = None

    @property
    def hears_voice(self) -> bool:
        """Whether an order can contain a sound as a reference."""
        return bool(self.sound_forms)

    @property
    def has_exact_lengths(self) -> bool:
        """Whether two lengths on offer differ by one second, so that none is rounded to another."""
        return any(later - earlier == 1 for earlier, later in pairwise(self.lengths))

    @property
    def echoes_length(self) -> bool:
        """Whether every list of the service shows how long each job's clip is."""
        return "seconds" in self.echoes


STORYBOARD = Capabilities(
    lengths=tuple(range(1, 61)),
    webhooks=True,
    lists=True,
    own_list=True,
    echoes=frozenset({"prompt", "seconds", "size"}),
    idempotency=True,
    cancels=True,
    progress=True,
    place=ServicePlace.PROCESS,
    second_dollars=0.0,
)
# Servers with OpenAI's API differ. The lengths that they offer, and the parts of an order that
# their lists repeat, are not known beforehand.
OPENAI = Capabilities(
    webhooks=True, lists=True, cancels=True, progress=True, place=ServicePlace.ANY_SERVER
)
OPENROUTER = Capabilities(webhooks=True)
GEMINI = Capabilities(
    lengths=tuple(range(3, 16)),
    sizes=(
        "640x360",
        "360x640",
        "1280x720",
        "720x1280",
        "1920x1080",
        "1080x1920",
        "3840x2160",
        "2160x3840",
    ),
)

#: The features for each value of VIDEO_BACKEND, as far as they are known before the service is
#: asked and the settings are read.
BY_BACKEND: Mapping[str, Capabilities] = {
    "storyboard": STORYBOARD,
    "openai": OPENAI,
    "openrouter": OPENROUTER,
    "gemini": GEMINI,
}
