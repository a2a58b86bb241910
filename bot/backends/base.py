"""Defines the methods that every adapter of a video service has, and the values they return."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.backends.echo import Echo, Order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.backends.capabilities import Capabilities
    from bot.errors import BackendError
    from bot.media.mp4.reader import VideoInfo
    from bot.model import VideoRequest


class RemoteState(StrEnum):
    """The state of a job at the provider.

    Each of the provider's own status words means one of these states.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendUpdate:
    """A provider's report on one of its jobs. Fields that the provider does not report are None.

    `progress`: 0 to 100.
    `cost`: in US dollars.
    `expires_at`: when the provider deletes the video, in Unix seconds of the provider's clock.
    `result_url`: the link to the video, as a URL or as a path at the provider.
    `inferred`: whether the state was derived from fields other than the provider's status word.
    """

    ref: str
    state: RemoteState
    progress: int | None = None
    error: BackendError | None = None
    cost: float | None = None
    expires_at: float | None = None
    result_url: str | None = None
    inferred: bool = False
    echo: Echo = field(default_factory=Echo)

    @property
    def expires_in(self) -> float | None:
        """The seconds until the provider deletes the video, measured by the provider's clock.

        None if the provider has not named a time.
        """
        if self.expires_at is None or self.echo.answered_at is None:
            return None
        return self.expires_at - self.echo.answered_at


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceSound:
    """The sound that is sent with a create request.

    `url`: a data URL that contains the sound, or a secret link to it.
    """

    url: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusPage:
    """A page of the provider's list of jobs. A job that is not in the list may still exist.

    `after`: the id with which to request the next page, or None after the last page.
    """

    updates: tuple[BackendUpdate, ...]
    after: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredJob:
    """A remote job that is known from the response to its create request.

    A list that lacks this job is not trustworthy.

    `is_earlier`: whether that response arrived before the unconfirmed create request was sent. The
    bot is now looking for the job of the unconfirmed request.
    """

    order: Order
    is_earlier: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The remote jobs that may have been started by an unconfirmed create request.

    `complete`: whether the provider says that no job is missing.
    `echoes`: the parts of the create request that the provider repeats for each job, keyed by the
    job's id.
    `shows_own`: whether the provider's list shows the newest known job correctly. If so, the list
    would also show every other job that this API key has started.
    """

    refs: tuple[str, ...]
    complete: bool
    shows_own: bool = False
    echoes: Mapping[str, Echo] = field(default_factory=dict[str, Echo], compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A verified webhook.

    `id`: the webhook's own id, which is the same if the webhook is delivered again. `ref`: the
    provider's id of the job.
    """

    id: str
    ref: str


class VideoBackend(Protocol):
    """The adapter of a video service.

    Every coroutine raises BackendError if the provider refuses the request or can't be reached.
    """

    name: str
    capabilities: Capabilities

    async def submit(
        self, request: VideoRequest, *, create_key: str, voice: VoiceSound | None = None
    ) -> BackendUpdate:
        """Order the video with exactly one POST.

        `voice`: the reference sound for the model. Only a service that accepts sounds gets one.
        The response may report that the job has already ended.

        Raises UnconfirmedSubmitError if the provider may have accepted the job and charged for it.
        After any other BackendError, the provider has certainly not accepted the job.
        Raises RefusedVoiceError if the provider refuses the job because of the sound.
        """
        ...

    async def poll(self, ref: str) -> BackendUpdate:
        """Return the state of a remote job.

        Raises BackendError of kind GONE if the remote job no longer exists.
        """
        ...

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        """Return the newest remote jobs, or those that follow the id `after`.

        Returns None if this server has no list. The list is only used to poll many jobs at once.
        Unconfirmed jobs are looked for with `find`.
        """
        ...

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> VideoInfo | None:
        """Download the finished video to the file `sink`, and check that it is a video.

        Returns the properties of an MP4, and None for another format, which can be converted.
        """
        ...

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),
    ) -> Listing:
        """Return the remote jobs that match the request, or all remote jobs if `request` is None.

        `hints`: ids that webhooks have named, but that belong to no known job. The remote jobs with
        these ids are looked up too.
        """
        ...

    async def cancel(self, ref: str) -> bool:
        """Try to stop the remote job, or to delete it if it has ended.

        Returns True only if the provider confirms this.
        """
        ...

    def check_webhook(self, headers: Mapping[str, str], *, now: float) -> None:
        """Check the headers of a webhook, before its body is read.

        Raises WebhookError if the headers show that the webhook must be refused.
        """
        ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float, sent: bytes | None = None
    ) -> Webhook | None:
        """Verify a webhook and return it, or return None if it isn't about a video.

        `body`: the decompressed body. `sent`: the body as it was sent, if it was compressed. A
        signature of either body is accepted.

        Raises WebhookError if the webhook is forged, too old or malformed.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
