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
    """The state of a job. It names the step that is due. The last three states are final."""

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

# States in which a job can be cancelled. The card then has a Cancel button.
CANCELLABLE = frozenset(
    {JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING, JobState.UNCONFIRMED}
    | {JobState.GENERATING, JobState.DOWNLOADING, JobState.MERGING}
)

# States in which the provider has accepted the job, or may have accepted it.
AT_PROVIDER = frozenset({JobState.SUBMITTING, JobState.UNCONFIRMED, JobState.GENERATING})


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoRequest:
    """A request for a clip that is `seconds` long.

    `size`: the width and height in pixels, such as "1280x720".
    `model`: the name of the provider's model, or None if the provider chooses one.
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
    """A narration: either an attached file, or a `text` that is read aloud. `size` is in bytes.

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
    """The interaction that requested a job. Only `token`, `message_id` and `bot_*` can change."""

    #: Discord's id of the interaction. Each interaction creates at most one job.
    interaction_id: int
    #: Discord's id of the bot's application, which is part of the URL for editing the reply.
    application_id: int
    #: Discord's id of the requester.
    user_id: int
    #: The server's Discord id, or None in a DM.
    guild_id: int | None
    #: Discord's id of the channel or thread that shows the card.
    channel_id: int
    #: The requester's language, as Discord names it ("en-GB").
    locale: str
    #: The secret for editing the reply, or None once the job has ended or the token has expired.
    token: str | None
    #: The Unix time at which `token` expires, as stated in the interaction.
    token_until: float
    #: The maximum size of an upload in bytes, as stated in the interaction.
    upload_limit: int
    #: True if the bot's own token can also edit the card, according to the bot's permissions.
    bot_can_edit: bool = True
    #: True until an edit has proved that the bot's own token can edit the card.
    bot_access_unproven: bool = False
    #: For an order from outside all servers: the server whose caps and budget it counts towards, or
    #: None if it counts towards no server's.
    home_id: int | None = None
    #: The requester's roles in the server or in `home_id`. Not stored, like `is_booster`.
    role_ids: frozenset[int] = frozenset()
    is_booster: bool = False
    #: The card's language, as set for the server. None means the requester's language.
    card_language: str | None = None
    #: True if the server's settings mark videos as spoilers.
    is_spoiler: bool = False
    #: The server's setting, such as "late:10", for when requesters who have not chosen get a DM.
    notify_default: str | None = None
    #: Discord's id of the job's card, or None until the command or the first step has stored it.
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """The API client or the command line that requested a job."""

    #: The name of the API token. A client sees only the jobs under its own name.
    name: str
    #: The client's `Idempotency-Key`, if it sent one. Requests with the same key share one job.
    key: str | None = None
    #: The SHA-256 of the request with `key`, in hex. Other requests with that key are refused.
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The reason why a job failed: the locale key of a sentence, and the fields to fill in.

    Numbers in `fields` stay numbers, because each language formats them in its own way.
    """

    key: str
    fields: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A row of the jobs table. Times are Unix seconds. `JobService` sets fields, unless noted."""

    #: The job's id, which consists of 32 hex digits and comes from `new_job_id`.
    id: str
    #: The state, which names the step that is due.
    state: JobState
    #: The fencing token. Each claim raises it, so a step can't write after a later claim.
    epoch: int = 0
    #: The number of attempts at the state's step that got no usable answer. In `generating`, all
    #: polls count. It determines pauses and limits. A new state resets it.
    attempts: int = 0
    #: When the step is due, or None until a person or a webhook makes it due.
    next_at: float | None
    #: When the job was inserted. The daily caps use this time.
    created_at: float
    #: When the state or `next_at` last changed, other than by a claim.
    updated_at: float
    #: The backend's name. Writing a queued job's prompt sets it to the current backend.
    backend: str
    #: The prompt as typed, and the operator's presets at that time.
    request: VideoRequest
    #: The source of the request: an interaction in Discord, or an API client.
    requester: Origin | Client
    #: The narration that is added to the clip. Without one, the clip keeps its original sound.
    attachment: Attachment | None
    #: The id of the job whose stored narration this job reuses, if any.
    narration_of: str | None
    #: The id of the job whose finished video gets a new narration, or None for a new clip.
    clip_of: str | None
    #: True if the video of `clip_of` already has a narration.
    clip_has_voice: bool = False
    #: The prompt that the provider gets. It is set once for each backend, before the POST.
    sent_prompt: str | None = None
    #: The idempotency key of the create request. It is the same for all POSTs of the job.
    create_key: str | None = None
    #: When the latest create request started, or None if the provider has clearly refused it.
    submitted_at: float | None = None
    #: The number of create requests. It is raised just before each POST, and never reset.
    submits: int = 0
    #: The number of negative results in this state, such as a remote job that was not found, or a
    #: failed merge. Too many of them end the state. A new state and each successful poll reset the
    #: number. In `downloading`, a missing clip adds 1000 and an unusable clip adds 1.
    misses: int = 0
    #: The provider's id for the job, once the create request is answered or its job is found.
    remote_id: str | None = None
    #: When `remote_id` was set.
    generating_at: float | None = None
    #: When the poller will ask the provider to cancel the job. Set together with `remote_id`.
    deadline_at: float | None = None
    #: True once `deadline_at` has passed without a confirmed cancellation. The job is then polled
    #: less often, and its clip is still accepted. Never reset.
    late: bool = False
    #: The percentage from 0 to 100, or None if the provider has reported none. It never falls.
    progress: int | None = None
    #: The cost in US dollars, or None if the provider has reported none.
    cost: float | None = None
    #: When the bot began to send the job's only DM, or None if it has not begun.
    dm_intent_at: float | None = None
    #: The reason why the job is on hold, or None if it is not. Set by `Holds`.
    hold: HoldReason | None = None
    #: When the job was put on hold, or None if it is not on hold.
    held_since: float | None = None
    #: The reason why the job failed, or None if it has not failed.
    failure: Failure | None = None
    #: The locale key of a sentence about the finished video, if there is one. Set in `merging`.
    note: str | None = None
    #: True if the card can't show the final state. A DM and the library show it instead.
    card_gone: bool = False
    #: When the job was deleted, or None. Its row is kept without content, for the daily caps.
    deleted_at: float | None = None

    @property
    def client(self) -> Client | None:
        """The client that requested the job, or None for a job from Discord."""
        return self.requester if isinstance(self.requester, Client) else None

    @property
    def origin(self) -> Origin:
        """The interaction that requested the job. Raises TypeError for a client's job."""
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
    """The reason why a job is on hold.

    `DISK`: there is too little free disk space.
    `BACKEND`: the operator has switched from the job's backend to another one.
    `TWIN`: an identical create request is unconfirmed.
    `UNANSWERED`: for minutes, the provider has not responded to requests about the job.
    """

    DISK = "disk"
    BACKEND = "backend"
    TWIN = "twin"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged:
    """A committed change to a job. `previous`: the old state, or None for a new job.

    `outlook_only`: whether only the job's `Outlook` has changed, such as its place in the queue.
    """

    job: Job
    previous: JobState | None
    outlook_only: bool = False
