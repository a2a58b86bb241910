"""The data types of jobs, and the allowed transitions between job states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """A job's state, named after the step that is due. The last three are final."""

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
        """True if no other state can follow."""
        return not TRANSITIONS[self]


_STOPPED = frozenset({JobState.FAILED, JobState.CANCELLED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    # Directly to `merging` if a finished video gets a new narration, which needs no provider.
    JobState.RECEIVED: _STOPPED | {JobState.QUEUED, JobState.MERGING},
    JobState.QUEUED: _STOPPED | {JobState.SUBMITTING},
    # Directly to `undecided` if the id in the response is that of another open job.
    JobState.SUBMITTING: _STOPPED
    | {JobState.GENERATING, JobState.QUEUED, JobState.UNCONFIRMED, JobState.UNDECIDED},
    JobState.UNCONFIRMED: _STOPPED | {JobState.GENERATING, JobState.QUEUED, JobState.UNDECIDED},
    JobState.UNDECIDED: _STOPPED | {JobState.GENERATING, JobState.QUEUED},
    JobState.GENERATING: _STOPPED | {JobState.DOWNLOADING},
    JobState.DOWNLOADING: _STOPPED | {JobState.MERGING},
    # To `succeeded` for API clients, which download the file. To `downloading` if the clip was
    # lost.
    JobState.MERGING: _STOPPED | {JobState.DELIVERING, JobState.SUCCEEDED, JobState.DOWNLOADING},
    JobState.DELIVERING: _STOPPED | {JobState.NOTIFYING},
    # The video is delivered, so the job can no longer fail or be cancelled.
    JobState.NOTIFYING: frozenset({JobState.SUCCEEDED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

# States in which the work can be stopped; the cards then have a Cancel button.
CANCELLABLE = frozenset(
    {JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING, JobState.UNCONFIRMED}
    | {JobState.GENERATING, JobState.DOWNLOADING, JobState.MERGING}
)

# States in which the provider has the job, or may have it.
AT_PROVIDER = frozenset({JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.GENERATING})


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoRequest:
    """A prompt for a backend, with the operator's presets.

    `seconds` is the clip's length, `size` is "WIDTHxHEIGHT" in pixels, and a `model` of None leaves
    the choice to the server.
    """

    prompt: str
    model: str | None
    seconds: int
    size: str

    @property
    def fingerprint(self) -> str:
        """A hex digest that is the same for requests that look the same to a provider."""
        parts = (self.model or "", str(self.seconds), self.size, self.prompt)
        return sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """An attached narration, or the `text` to read aloud instead; `size` is in bytes.

    `url` is None once the file has been downloaded, and for files that were never on Discord.
    """

    url: str | None
    filename: str
    size: int
    text: str | None = None


def text_attachment(text: str) -> Attachment:
    """Return the attachment for a text to read aloud."""
    return Attachment(url=None, filename="narration", size=0, text=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The interaction that requested a job. Only `token`, `message_id` and `bot_*` ever change."""

    #: Discord's id of the interaction; each interaction creates at most one job.
    interaction_id: int
    #: Discord's id of the bot's application, which is part of the URL for editing the reply.
    application_id: int
    #: Discord's id of the requester.
    user_id: int
    #: The server's Discord id; None in a DM.
    guild_id: int | None
    #: Discord's id of the channel or thread that shows the card.
    channel_id: int
    #: The requester's language, as Discord names it ("en-GB").
    locale: str
    #: The secret for editing the reply; None once the job has ended or the token has expired.
    token: str | None
    #: Unix time when `token` expires, as stated by the interaction.
    token_until: float
    #: Maximum bytes of an attachment here, as stated by the interaction.
    upload_limit: int
    #: True if the bot's own token can also edit the card, according to the bot's permissions.
    bot_can_edit: bool = True
    #: True until an edit has proved that the bot's own token can edit the card.
    bot_access_unproven: bool = False
    #: The server that an order from outside all servers counts towards; None: it counts towards
    #: none.
    home_id: int | None = None
    #: The requester's roles in the server or in `home_id`, and whether they boost it; not stored.
    role_ids: frozenset[int] = frozenset()
    is_booster: bool = False
    #: The language of the card, as set for the server; None: that of the requester.
    card_language: str | None = None
    #: True if videos are marked as spoilers in the server.
    is_spoiler: bool = False
    #: When a requester who has not chosen gets a DM, as set for the server, such as "late:10".
    notify_default: str | None = None
    #: Discord's id of the job's card; None until the command or the `received` step records it.
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """The API client or the command line that requested a job."""

    #: The name of the API token; a client sees only the jobs under its own name.
    name: str
    #: The client's `Idempotency-Key`, or None; requests with the same key share one job.
    key: str | None = None
    #: SHA-256 in hex of the request with `key`; a different request with that key is refused.
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The reason why a job failed: `key` names a sentence in `bot/locales` that takes `fields`.

    Numbers in `fields` stay numbers, because each language formats them in its own way.
    """

    key: str
    fields: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One row of the jobs table. Times are Unix seconds; `JobService` sets fields unless noted."""

    #: The job's id: 32 hex digits, from `new_job_id`.
    id: str
    #: The step that is due.
    state: JobState
    #: Fencing number, raised by each claim; a step's writes fail after a later claim.
    epoch: int = 0
    #: Attempts at the state's step that got no usable answer (in `generating`: all polls). The
    #: steps and the worker count these for their pauses and limits; a new state resets the count.
    attempts: int = 0
    #: When the step is due; None until a person or a webhook schedules it.
    next_at: float | None
    #: When the job was inserted; the daily cap uses this time.
    created_at: float
    #: When the state or `next_at` last changed; claims do not count.
    updated_at: float
    #: Name of the provider; a queued job moves to the configured one when its prompt is written.
    backend: str
    #: The prompt as typed, with the presets at the time of the request.
    request: VideoRequest
    #: The source of the request: an interaction in Discord, or a client.
    requester: Origin | Client
    #: The narration to lay over the clip; without one, the clip keeps its original sound.
    attachment: Attachment | None
    #: Id of the job whose stored narration this job reuses, set on insertion.
    narration_of: str | None
    #: Id of the job whose finished video gets a new narration; None: a new clip is generated.
    clip_of: str | None
    #: True if the video of `clip_of` already has a narration, set on insertion.
    clip_has_voice: bool = False
    #: The prompt that the provider gets, set once for each backend before the POST.
    sent_prompt: str | None = None
    #: Idempotency key of the create request, set before the first POST and kept for later ones.
    create_key: str | None = None
    #: When the latest create request started; None again if the provider has clearly refused it.
    submitted_at: float | None = None
    #: Number of create requests started, raised just before each POST and never reset.
    submits: int = 0
    #: Number of negative results in this state, which are decisive if repeated: remote job not
    #: found or missing from a complete list, unusable download, failed merge, unconfirmed
    #: cancellation. Counted by the steps; a new state and each successful poll reset it. In
    #: `downloading`, a missing clip adds `_LAG` (1000), so that one number contains both counts.
    misses: int = 0
    #: The provider's id for the job, set when the create request is answered or its job is found.
    remote_id: str | None = None
    #: When `remote_id` was set.
    generating_at: float | None = None
    #: When the poller asks the provider to cancel, set with `remote_id`.
    deadline_at: float | None = None
    #: True once `deadline_at` has passed and the provider has not confirmed the cancellation; the
    #: poller then polls rarely and still accepts the clip. Never reset.
    late: bool = False
    #: Percent done (0 to 100, never falling) as the provider reports it; None: not reported.
    progress: int | None = None
    #: US dollars charged, as the provider reports them; None: not reported.
    cost: float | None = None
    #: When the sending of the job's only DM began; None: it has not begun.
    dm_intent_at: float | None = None
    #: The reason why the job's step can only wait, set by `Holds`; None: the job is not on hold.
    hold: HoldReason | None = None
    #: When the job's current hold began; None: the job is not on hold.
    held_since: float | None = None
    #: The reason why the job failed; None: it has not failed.
    failure: Failure | None = None
    #: Locale key of a sentence about the finished video, set by `merging`.
    note: str | None = None
    #: True if the card could not show the final state, so a DM and the library show it instead.
    card_gone: bool = False
    #: When `Retention` emptied the row, which is kept for the daily cap; None: not deleted.
    deleted_at: float | None = None

    @property
    def client(self) -> Client | None:
        """The client that requested the job, or None for a job from Discord."""
        return self.requester if isinstance(self.requester, Client) else None

    @property
    def origin(self) -> Origin:
        """The interaction that requested the job; raises TypeError for a client's job."""
        if not isinstance(self.requester, Origin):
            raise TypeError(f"job {self.id} does not come from Discord")
        return self.requester

    @property
    def is_refused_for_now(self) -> bool:
        """True while a queued job waits to be submitted again after a refusal."""
        return self.state is JobState.QUEUED and self.submits > 0 and self.submitted_at is None

    @property
    def sent_request(self) -> VideoRequest:
        """The request with the prompt that the provider gets."""
        return replace(self.request, prompt=self.sent_prompt or self.request.prompt)


def new_job_id() -> str:
    """Return a new, random job id."""
    return uuid4().hex


class HoldReason(StrEnum):
    """The reason why a job waits in its state.

    `DISK`: there is too little free space. `BACKEND`: the job is at a backend that is no longer
    chosen. `TWIN`: an identical create request has no response yet. `UNANSWERED`: the provider has
    not responded to any request about the job for minutes.
    """

    DISK = "disk"
    BACKEND = "backend"
    TWIN = "twin"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged:
    """A committed change of a job; `previous` is the old state, or None for a new job.

    `outlook_only`: whether only the job's `Outlook` has changed.
    """

    job: Job
    previous: JobState | None
    outlook_only: bool = False
