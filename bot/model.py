"""The nouns, and which state may follow which."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """The step of a job that is due; the last three are ends."""

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


_ENDS = frozenset({JobState.FAILED, JobState.CANCELLED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    # At once `merging`: the clip is there already, and only gets another narration.
    JobState.RECEIVED: _ENDS | {JobState.QUEUED, JobState.MERGING},
    JobState.QUEUED: _ENDS | {JobState.SUBMITTING},
    JobState.SUBMITTING: _ENDS | {JobState.GENERATING, JobState.QUEUED, JobState.UNCONFIRMED},
    JobState.UNCONFIRMED: _ENDS | {JobState.GENERATING, JobState.QUEUED, JobState.UNDECIDED},
    JobState.UNDECIDED: _ENDS | {JobState.GENERATING, JobState.QUEUED},
    JobState.GENERATING: _ENDS | {JobState.DOWNLOADING},
    JobState.DOWNLOADING: _ENDS | {JobState.MERGING},
    # At once `succeeded`: who asked over HTTP comes for the file.
    JobState.MERGING: _ENDS | {JobState.DELIVERING, JobState.SUCCEEDED},
    JobState.DELIVERING: _ENDS | {JobState.NOTIFYING},
    # By now the video is in the person's hands: there is nothing left to cancel or to fail.
    JobState.NOTIFYING: frozenset({JobState.SUCCEEDED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


# Where there is something left to stop; a button for it stands on these cards.
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
    """What is asked of a backend: a prompt, and the operator's presets.

    `seconds` is the clip's length, `size` is "WIDTHxHEIGHT" in pixels, and a `model` of None leaves
    the choice to the server.
    """

    prompt: str
    model: str | None
    seconds: int
    size: str

    @property
    def fingerprint(self) -> str:
        """What tells two requests apart at a provider, in hex."""
        parts = (self.model or "", str(self.seconds), self.size, self.prompt)
        return sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A narration as it was attached, or the `text` to speak instead; `size` in bytes.

    Its URL is None once the file was fetched.
    """

    url: str | None
    filename: str
    size: int
    text: str | None = None


def spoken(text: str) -> Attachment:
    """Return the narration that a text will be."""
    return Attachment(url=None, filename="narration", size=0, text=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where in Discord a job was asked for, and what is needed to answer there.

    `token` edits the reply until `token_until` (Unix seconds) and is None once it is used up; then
    the bot itself can, where `by_bot`; `by_bot_unproven`: as far as is known before it has done so.
    `upload_limit` is in bytes.
    """

    interaction_id: int
    application_id: int
    user_id: int
    guild_id: int | None
    channel_id: int
    locale: str
    token: str | None
    token_until: float
    upload_limit: int
    by_bot: bool = True
    by_bot_unproven: bool = False
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Who asked over HTTP or on the command line: the name of an API token.

    `key` makes one job of what is sent twice, and `digest` tells in hex what was asked under it.
    """

    name: str
    key: str | None = None
    digest: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a job ended badly: `key` names a sentence in `bot/locales` that takes `fields`.

    Numbers stay numbers, so that each reader sees them as their language writes them.
    """

    key: str
    fields: Mapping[str, str | float] = field(default_factory=dict[str, "str | float"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One row of the table of jobs; times are Unix seconds, `progress` is 0 to 100.

    `epoch` rises with each claim, so that a step which lost its job can't write any more.
    `next_at` is when its step is due; None: never, by itself. `cost` is what the provider says that
    it charged, in US dollars. `note` names a sentence that goes with the finished video;
    `card_gone`: its message could not be edited any more.
    `narration_of` and `clip_of` name the jobs whose narration and whose finished video this one
    takes over; `clip_has_voice`: there is a narration in that video. `sent_prompt` is what the
    provider gets in place of the prompt, once it is written.
    """

    id: str
    state: JobState
    epoch: int = 0
    attempts: int = 0
    next_at: float | None
    created_at: float
    updated_at: float
    backend: str
    request: VideoRequest
    asker: Origin | Client
    attachment: Attachment | None
    narration_of: str | None
    clip_of: str | None
    clip_has_voice: bool = False
    sent_prompt: str | None = None
    create_key: str | None = None
    submitted_at: float | None = None
    submits: int = 0
    misses: int = 0
    remote_id: str | None = None
    generating_at: float | None = None
    deadline_at: float | None = None
    late: bool = False
    progress: int | None = None
    cost: float | None = None
    dm_intent_at: float | None = None
    failure: Failure | None = None
    note: str | None = None
    card_gone: bool = False
    deleted_at: float | None = None

    @property
    def client(self) -> Client | None:
        """Who asked over HTTP; None: somebody in Discord."""
        return self.asker if isinstance(self.asker, Client) else None

    @property
    def origin(self) -> Origin:
        """Where in Discord it was asked for; TypeError: it was not."""
        if not isinstance(self.asker, Origin):
            raise TypeError(f"job {self.id} does not come from Discord")
        return self.asker

    @property
    def sent_request(self) -> VideoRequest:
        """The request as the provider knows it."""
        return replace(self.request, prompt=self.sent_prompt or self.request.prompt)


def new_job_id() -> str:
    """Return an id that no job has: 32 hex digits."""
    return uuid4().hex


def new_job(
    request: VideoRequest,
    asker: Origin | Client,
    attachment: Attachment | None,
    *,
    backend: str,
    now: float,
    next_at: float,
    job_id: str | None = None,
    narration_of: str | None = None,
    clip_of: str | None = None,
) -> Job:
    """Return the job that a request begins with; `job_id`: one that `new_job_id` has given."""
    return Job(
        id=job_id or new_job_id(),
        state=JobState.RECEIVED,
        next_at=next_at,
        created_at=now,
        updated_at=now,
        backend=backend,
        request=request,
        asker=asker,
        attachment=attachment,
        narration_of=narration_of,
        clip_of=clip_of,
    )


class Trouble(StrEnum):
    """Why a provider takes no job: the key, the money, a wrong address or model, an outage."""

    AUTH = "auth"
    BALANCE = "balance"
    SETUP = "setup"
    OUTAGE = "outage"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What an open job may expect, as far as that is known.

    `place` is 1 for the next in line; `usual_seconds` is what a provider took for others like it.
    `trouble` is why the whole line waits, and `operator_knows` says whether its operator was told.
    """

    place: int | None = None
    usual_seconds: float | None = None
    trouble: Trouble | None = None
    operator_knows: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """How many jobs may be open for one person and in all, and how many a day may bring."""

    open_per_user: int
    open_in_all: int
    per_day: int


class Notify(StrEnum):
    """When a person wants a DM about a finished video; `LATE`: only if it took its time."""

    ALWAYS = "always"
    NEVER = "never"
    LATE = "late"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged:
    """A job as it stands after a commit; `previous` is None for a new job.

    `outlook`: the job is as it was, and only what it may expect has changed.
    """

    job: Job
    previous: JobState | None
    outlook: bool = False
