"""Defines the data types of jobs, and the allowed transitions between the states of a job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.artifacts import NO_VOICE, OrderedVoice

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """A job's state, named after the step that is due. The last three states are final."""

    RECEIVED = "received"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    UNCONFIRMED = "unconfirmed"
    UNDECIDED = "undecided"
    GENERATING = "generating"
    DOWNLOADING = "downloading"
    MERGING = "merging"
    DELIVERING = "delivering"
    NOTIFYING = "notifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no other state can follow."""
        return not TRANSITIONS[self]


_STOPPED = frozenset({JobState.FAILED, JobState.CANCELLED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    # `merging` follows if a finished video gets a new narration, which needs no provider.
    JobState.RECEIVED: _STOPPED | {JobState.QUEUED, JobState.MERGING},
    JobState.QUEUED: _STOPPED | {JobState.SUBMITTING},
    # `undecided` follows if the id in the response belongs to another open job.
    JobState.SUBMITTING: _STOPPED
    | {JobState.GENERATING, JobState.QUEUED, JobState.UNCONFIRMED, JobState.UNDECIDED},
    JobState.UNCONFIRMED: _STOPPED | {JobState.GENERATING, JobState.QUEUED, JobState.UNDECIDED},
    JobState.UNDECIDED: _STOPPED | {JobState.GENERATING, JobState.QUEUED},
    JobState.GENERATING: _STOPPED | {JobState.DOWNLOADING},
    JobState.DOWNLOADING: _STOPPED | {JobState.MERGING},
    # `succeeded` follows for API clients, and `downloading` if the clip was lost.
    JobState.MERGING: _STOPPED | {JobState.DELIVERING, JobState.SUCCEEDED, JobState.DOWNLOADING},
    JobState.DELIVERING: _STOPPED | {JobState.NOTIFYING},
    # The video is already delivered, so the job can no longer fail or be cancelled.
    JobState.NOTIFYING: frozenset({JobState.SUCCEEDED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

# In these states, the provider has the job or may have it.
AT_PROVIDER = frozenset({JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.GENERATING})

# In these states, a job can be cancelled, and its card has a Cancel button.
_AT_HOME = {JobState.RECEIVED, JobState.QUEUED, JobState.DOWNLOADING, JobState.MERGING}
CANCELLABLE = AT_PROVIDER | _AT_HOME


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoRequest:
    """The video that a provider is asked for: a prompt, and the operator's presets.

    `seconds` is the clip's length. `size` is "WIDTHxHEIGHT" in pixels. If `model` is None, the
    server chooses its default model. `reference`: the digest of the sound to send, or "".
    """

    prompt: str
    model: str | None
    seconds: int
    size: str
    reference: str = ""

    @property
    def fingerprint(self) -> str:
        """A hex digest that is equal for requests that look the same to a provider."""
        parts = (self.model or "", str(self.seconds), self.size, self.prompt, self.reference)
        return sha256("\0".join(parts).removesuffix("\0").encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A narration: an audio file of `size` bytes, or a `text` to read aloud.

    `url` is None once the file has been downloaded, and for files that were never on Discord.
    """

    url: str | None
    filename: str
    size: int
    text: str | None = None


def text_attachment(text: str) -> Attachment:
    """Return an attachment that stands for a text to read aloud."""
    return Attachment(url=None, filename="narration", size=0, text=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The interaction that ordered a job. Only `token`, `message_id` and `bot_*` ever change."""

    #: The interaction's Discord id. Each interaction creates at most one job.
    interaction_id: int
    #: The application's Discord id, which is part of the URL for editing the response.
    application_id: int
    #: The requester's Discord id.
    user_id: int
    #: The server's Discord id, or None in a DM.
    guild_id: int | None
    #: The Discord id of the channel or thread that contains the card.
    channel_id: int
    #: The requester's language, as Discord names it, such as "en-GB".
    locale: str
    #: The secret for editing the response. None once the job has ended or the token has expired.
    token: str | None
    #: The Unix time when `token` expires, according to the interaction.
    token_until: float
    #: The maximum size of an uploaded file in bytes, according to the interaction.
    upload_limit: int
    #: Whether the bot's own token can edit the card too, according to the bot's permissions.
    bot_can_edit: bool = True
    #: Whether no edit has yet proved that the bot's own token can edit the card.
    bot_access_unproven: bool = False
    #: The id of the server whose limits apply to an order from a DM or another server, or None if
    #: no server's limits apply.
    home_id: int | None = None
    #: The requester's roles and boost in the server or, if set, in `home_id`. Not stored.
    role_ids: frozenset[int] = frozenset()
    is_booster: bool = False
    #: The language that the server has chosen for cards, or None for the requester's language.
    card_language: str | None = None
    #: Whether the server has chosen that videos are marked as spoilers.
    is_spoiler: bool = False
    #: The server's default for when DMs are sent, such as "late:10". People may choose otherwise.
    notify_default: str | None = None
    #: The card's Discord id, or None until the command or the `received` step has stored it.
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """The API client that ordered a job. The command line is an API client too."""

    #: The name of the API token. A client sees only the jobs under its own name.
    name: str
    #: The client's `Idempotency-Key`, or None. Requests with the same key share one job.
    key: str | None = None
    #: The SHA-256 digest of the first request with `key`. Requests with another digest are refused.
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The reason why a job failed: the locale key of a sentence, and the values of its fields.

    Numbers in `fields` stay numbers, because each language formats them in its own way.
    """

    key: str
    fields: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A row of the jobs table. Times are Unix seconds. Unless noted, `JobService` sets a field."""

    #: The job's id: 32 hex digits.
    id: str
    #: The job's state, which is also the step that is due.
    state: JobState
    #: A fencing number. Each claim increases it, so that writes of steps with older claims fail.
    epoch: int = 0
    #: The number of attempts at the current step that brought no usable answer. In `generating`, it
    #: is the number of all polls. Limits and pauses depend on it. A new state resets it to 0.
    attempts: int = 0
    #: The time when the step is due, or None until a person or a webhook schedules it.
    next_at: float | None
    #: The time when the job was stored. Daily limits use this time.
    created_at: float
    #: The time when the state or `next_at` last changed. Claims do not change it.
    updated_at: float
    #: The provider's name. Writing a queued job's prompt moves the job to the chosen provider.
    backend: str
    #: The prompt as the requester typed it, with the presets of that time.
    request: VideoRequest
    #: The source of the order: an interaction in Discord, or an API client.
    requester: Origin | Client
    #: The narration to add to the clip. Without one, the clip keeps its original sound.
    attachment: Attachment | None
    #: The id of the job whose stored narration this job uses again. Set when the job is stored.
    narration_of: str | None
    #: The id of the job whose finished video gets a new narration, or None for a new clip.
    clip_of: str | None
    #: Whether the video of `clip_of` already has a narration. Set when the job is stored.
    clip_has_voice: bool = False
    #: Whether the narration is sent with the create request. Set when the job is stored.
    voice: OrderedVoice = NO_VOICE
    #: The prompt that the provider gets. Set before the POST, once for each backend.
    sent_prompt: str | None = None
    #: The idempotency key of the create request. Set before the first POST and kept for later ones.
    create_key: str | None = None
    #: The time of the latest create request, or None again after the provider clearly refused it.
    submitted_at: float | None = None
    #: The number of create requests, increased just before each POST and never reset.
    submits: int = 0
    #: The number of results that must be repeated to count, such as a list without the remote job.
    #: A new state and each successful poll reset it. In `downloading`, a missing clip adds `_LAG`.
    misses: int = 0
    #: The id of the provider's job, or None until it is known from a response or from a search.
    remote_id: str | None = None
    #: The time when `remote_id` was set.
    generating_at: float | None = None
    #: The time when the poller asks the provider to cancel the remote job. Set with `remote_id`.
    deadline_at: float | None = None
    #: Whether `deadline_at` has passed and the provider has not confirmed the cancellation. The job
    #: is then polled rarely, and its clip is still accepted. Never reset.
    late: bool = False
    #: The progress in percent, as the provider reports it, or None if unknown. It never falls.
    progress: int | None = None
    #: The price in US dollars that the provider reports, or None if unknown.
    cost: float | None = None
    #: The cost in micro-dollars or, while it is unknown, the most that it can be.
    micros: int = 0
    #: Whether a voice with a price was not asked yet, and whether the prompt writer has a price.
    voice_is_unasked: bool = False
    writer_costs: bool = False
    #: The time when the bot began to send the job's only DM, or None before that.
    dm_intent_at: float | None = None
    #: The reason why the job's step has to wait, set by `Holds`, or None.
    hold: HoldReason | None = None
    #: The time when the current hold began, or None.
    held_since: float | None = None
    #: The reason why the job failed, or None.
    failure: Failure | None = None
    #: The locale key of a sentence about the finished video, set by `merging`, or None.
    note: str | None = None
    #: Whether the card could not show the final state. A DM and the library show it instead.
    card_gone: bool = False
    #: The time when `Retention` deleted the row's contents, or None. Limits still count the row.
    deleted_at: float | None = None

    @property
    def client(self) -> Client | None:
        """The client that ordered the job, or None for an order from Discord."""
        return self.requester if isinstance(self.requester, Client) else None

    @property
    def origin(self) -> Origin:
        """The interaction that ordered the job. Raises TypeError if a client ordered it."""
        if not isinstance(self.requester, Origin):
            raise TypeError(f"job {self.id} does not come from Discord")
        return self.requester

    @property
    def is_refused_for_now(self) -> bool:
        """Whether a queued job waits to be submitted again after the provider refused it."""
        return self.state is JobState.QUEUED and self.submits > 0 and self.submitted_at is None

    @property
    def sent_request(self) -> VideoRequest:
        """The request that the provider gets, with the final prompt."""
        return replace(self.request, prompt=self.sent_prompt or self.request.prompt)


def new_job_id() -> str:
    """Return a new, random id for a job."""
    return uuid4().hex


class HoldReason(StrEnum):
    """The reason why a job has to wait in its state."""

    DISK = "disk"  # there is too little free space
    BACKEND = "backend"  # the job is at a backend that is no longer chosen
    TWIN = "twin"  # a create request with the same prompt has no response yet
    UNANSWERED = "unanswered"  # the provider has not responded about the job for minutes


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged:
    """A committed change to a job. `previous` is the old state, or None for a new job.

    `outlook_only`: whether nothing but the job's `Outlook` has changed.
    """

    job: Job
    previous: JobState | None
    outlook_only: bool = False
