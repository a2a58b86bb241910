"""The nouns of a job, and the allowed transitions between its states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """The step of a job that is due; the last three are final."""

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
    # Straight to `merging`: an existing clip gets another narration, without a provider.
    JobState.RECEIVED: _STOPPED | {JobState.QUEUED, JobState.MERGING},
    JobState.QUEUED: _STOPPED | {JobState.SUBMITTING},
    JobState.SUBMITTING: _STOPPED | {JobState.GENERATING, JobState.QUEUED, JobState.UNCONFIRMED},
    JobState.UNCONFIRMED: _STOPPED | {JobState.GENERATING, JobState.QUEUED, JobState.UNDECIDED},
    JobState.UNDECIDED: _STOPPED | {JobState.GENERATING, JobState.QUEUED},
    JobState.GENERATING: _STOPPED | {JobState.DOWNLOADING},
    JobState.DOWNLOADING: _STOPPED | {JobState.MERGING},
    # Straight to `succeeded`: a client downloads the file, so nothing is delivered.
    JobState.MERGING: _STOPPED | {JobState.DELIVERING, JobState.SUCCEEDED},
    JobState.DELIVERING: _STOPPED | {JobState.NOTIFYING},
    # The video is delivered: nothing can be cancelled or fail any more.
    JobState.NOTIFYING: frozenset({JobState.SUCCEEDED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

# States with work left to stop: their cards have a Cancel button.
CANCELLABLE = frozenset(
    {
        JobState.RECEIVED,
        JobState.QUEUED,
        JobState.SUBMITTING,
        JobState.UNCONFIRMED,
        JobState.GENERATING,
        JobState.DOWNLOADING,
        JobState.MERGING,
    }
)


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
        """A hex digest that is equal for requests that a provider could not tell apart."""
        parts = (self.model or "", str(self.seconds), self.size, self.prompt)
        return sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A narration as it was attached, or the `text` to speak instead; `size` is in bytes.

    `url` is None once the file was downloaded, and for files that were never at Discord.
    """

    url: str | None
    filename: str
    size: int
    text: str | None = None


def text_attachment(text: str) -> Attachment:
    """Return the attachment for a text that is to be spoken."""
    return Attachment(url=None, filename="narration", size=0, text=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The Discord interaction that requested a job; all but `token` and `message_id` is fixed."""

    #: Discord's id of the interaction; each interaction creates at most one job.
    interaction_id: int
    #: Discord's id of the bot's application, part of the URL that edits the reply.
    application_id: int
    #: Discord's id of the requester.
    user_id: int
    #: Discord's id of the server; None in a DM.
    guild_id: int | None
    #: Discord's id of the channel or thread that shows the card.
    channel_id: int
    #: The requester's language, as Discord names it ("en-GB").
    locale: str
    #: The secret that edits the reply; None once the job has ended or the token has expired.
    token: str | None
    #: Unix seconds when `token` expires, from the interaction.
    token_until: float
    #: Bytes that an attachment may have here, as Discord announced with the interaction.
    upload_limit: int
    #: True if the bot's own token can edit the card too; set by the command from its permissions.
    bot_can_edit: bool = True
    #: Discord's id of the job's card; None until the command, or `received`, has acknowledged it.
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """The API client, or command line, that requested a job."""

    #: The name of the API token; a client sees only the jobs under its own name.
    name: str
    #: The client's `Idempotency-Key`; requests that repeat it share one job. None: not sent.
    key: str | None = None
    #: SHA-256 in hex of the request under `key`: a different request under it is refused.
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The reason why a job failed: `key` names a sentence in `bot/locales` that takes `fields`.

    Numbers stay numbers, because each language formats them in its own way.
    """

    key: str
    fields: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One row of the table of jobs. Times are Unix seconds; `JobService` writes unless noted."""

    #: 32 hex digits, from `new_job_id`.
    id: str
    #: The step that is due.
    state: JobState
    #: Fencing number, raised by each claim: a step's writes fail once it was raised again.
    epoch: int = 0
    #: Tries of the state's step without a usable answer (in `generating`: all polls). The steps
    #: and the worker count them, for their pauses and limits; a new state sets it to 0.
    attempts: int = 0
    #: When the step is due; None: never, unless a person or a webhook changes that.
    next_at: float | None
    #: When the job was inserted; the daily cap counts from here.
    created_at: float
    #: When the state or its schedule last changed; claims do not count.
    updated_at: float
    #: Name of the provider; a queued job gets the configured one when its prompt is written.
    backend: str
    #: The prompt as typed, with the presets of that moment.
    request: VideoRequest
    #: The requester: a person in Discord, or a client.
    requester: Origin | Client
    #: The narration to lay over the clip; None: the clip keeps its own sound.
    attachment: Attachment | None
    #: Id of the job whose kept narration this one reuses, set on insertion.
    narration_of: str | None
    #: Id of the job whose finished video this one narrates; None: a new clip is generated.
    clip_of: str | None
    #: True if the video of `clip_of` has a narration already, set on insertion.
    clip_has_voice: bool = False
    #: The prompt that the provider gets, set once for each backend before the POST.
    sent_prompt: str | None = None
    #: Idempotency key of the create, set before the first POST and kept for later ones.
    create_key: str | None = None
    #: When the last create was begun; None again once the provider has clearly refused it.
    submitted_at: float | None = None
    #: Number of creates begun, raised just before each POST and never reset.
    submits: int = 0
    #: Answers in this state that decide against it if repeated: remote job not found, complete
    #: listing without it, unusable download, failed merge, unconfirmed cancel. Counted by the
    #: steps; a new state and each successful poll set it to 0.
    misses: int = 0
    #: The provider's id of its job, set when the create is answered or found.
    remote_id: str | None = None
    #: When `remote_id` was set.
    generating_at: float | None = None
    #: When the poller asks the provider to cancel, set with `remote_id`.
    deadline_at: float | None = None
    #: True once `deadline_at` has passed and the provider did not confirm the cancel: the poller
    #: polls rarely and still accepts the clip. Never reset.
    late: bool = False
    #: Percent done (0 to 100, never falling) as the provider reports it; None: not reported.
    progress: int | None = None
    #: US dollars that the provider says it charged; None: it does not say.
    cost: float | None = None
    #: When the one DM was begun, set just before it is sent; None: not begun.
    dm_intent_at: float | None = None
    #: The reason why its step does nothing but wait, set by `Holds`; None: it does not wait so.
    hold: HoldReason | None = None
    #: Since when it has been on hold without a break.
    held_since: float | None = None
    #: The reason, for a failed job.
    failure: Failure | None = None
    #: Locale key of a sentence about the finished video, set by `merging`.
    note: str | None = None
    #: True if the card could not be edited at delivery, so the DM brings the video.
    card_gone: bool = False
    #: When `Retention` emptied the row, which stays for the daily cap; None: not deleted.
    deleted_at: float | None = None

    @property
    def client(self) -> Client | None:
        """The client that requested it; None: it was requested in Discord."""
        return self.requester if isinstance(self.requester, Client) else None

    @property
    def origin(self) -> Origin:
        """The interaction that requested it; TypeError: it was not requested in Discord."""
        if not isinstance(self.requester, Origin):
            raise TypeError(f"job {self.id} does not come from Discord")
        return self.requester

    @property
    def sent_request(self) -> VideoRequest:
        """The request with the prompt that the provider gets."""
        return replace(self.request, prompt=self.sent_prompt or self.request.prompt)


def new_job_id() -> str:
    """Return a new, random job id."""
    return uuid4().hex


def new_job(
    request: VideoRequest,
    requester: Origin | Client,
    attachment: Attachment | None,
    *,
    backend: str,
    now: float,
    next_at: float,
    job_id: str | None = None,
    narration_of: str | None = None,
    clip_of: str | None = None,
) -> Job:
    """Return a job in `received`; `job_id` may be one from an earlier `new_job_id`."""
    return Job(
        id=job_id or new_job_id(),
        state=JobState.RECEIVED,
        next_at=next_at,
        created_at=now,
        updated_at=now,
        backend=backend,
        request=request,
        requester=requester,
        attachment=attachment,
        narration_of=narration_of,
        clip_of=clip_of,
    )


class Trouble(StrEnum):
    """The reason why a provider refuses all jobs: key, balance, address or model, or outage."""

    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    OUTAGE = "outage"


class HoldReason(StrEnum):
    """The reason why a job waits in its state: free disk space, its backend, or a create like it.

    `BACKEND`: the job is at a backend that is no longer chosen. `TWIN`: an identical create has no
    answer yet.
    """

    DISK = "disk"
    BACKEND = "backend"
    TWIN = "twin"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged:
    """A job after a commit; `previous` is its state before, None for a new job.

    `outlook`: only the job's `Outlook` has changed.
    """

    job: Job
    previous: JobState | None
    outlook: bool = False
