"""The protocol of all adapters, and the values that they return."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.backends.echo import Echo, Order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.errors import BackendError
    from bot.model import VideoRequest


class RemoteState(StrEnum):
    """The state of a remote job. Every provider's status word is mapped to one of these four."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendUpdate:
    """A provider's description of a remote job. A field that the provider does not report is None.

    `progress` is 0 to 100, `cost` is in US dollars, `expires_at` is in Unix seconds of the
    provider's clock. `result_url` is the link to the video, as a URL or as a path at the provider.
    `inferred`: whether the state was derived from other fields, not from the provider's status
    word.
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
        """The seconds until the provider deletes the video, by its own clock; None: unknown."""
        if self.expires_at is None or self.echo.answered_at is None:
            return None
        return self.expires_at - self.echo.answered_at


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusPage:
    """A page of the provider's list of jobs. A job that is not in it may still exist.

    `after`: the ref after which the next page begins, or None after the last page.
    """

    updates: tuple[BackendUpdate, ...]
    after: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweredJob:
    """A job whose create request was answered. A trustworthy list therefore shows it.

    `is_earlier`: whether that answer came before the create request whose job is being looked for.
    """

    order: Order
    is_earlier: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The remote jobs that an unconfirmed create request may have started.

    `complete`: whether the provider says that no job is missing.
    `certain`: whether each of the `refs` echoes the request's prompt.
    `shows_own`: whether the list shows the newest of the answered jobs as it was ordered. Such a
    list would also show any other job of the same key.
    """

    refs: tuple[str, ...]
    complete: bool
    certain: bool = True
    shows_own: bool = False
    echoes: Mapping[str, Echo] = field(default_factory=dict[str, Echo], compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A verified webhook: its own id, which identifies repeated deliveries, and the job's ref."""

    id: str
    ref: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """The optional features of a provider, and the longest prompt that it accepts.

    `lists`: whether the protocol has a list of jobs with their states.
    `own_list`: whether the complete list is always right, as it is if the provider runs in this
    process.
    `prompt_characters`: the length of the longest accepted prompt. The default is the length of the
    longest prompt that a requester can type.
    `clip_dollars`: the list price of a clip with the operator's presets, or None if none is listed.
    """

    webhooks: bool = False
    lists: bool = False
    own_list: bool = False
    prompt_characters: int = 2000
    clip_dollars: float | None = None


class VideoBackend(Protocol):
    """One video-generation service.

    Every coroutine raises BackendError when the provider refuses or can't be reached.
    """

    name: str
    capabilities: Capabilities

    async def submit(self, request: VideoRequest, *, create_key: str) -> BackendUpdate:
        """Request the video with exactly one POST. The response may already report its end.

        UnconfirmedSubmitError: the provider may have accepted, and charged for, the job.
        Any other BackendError: the provider definitely did not accept it.
        """
        ...

    async def poll(self, ref: str) -> BackendUpdate:
        """Request the remote job's state; BackendError of kind GONE: the job no longer exists."""
        ...

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        """Request the newest jobs, or the jobs `after` a ref; None: this server has no list.

        This serves only to poll many jobs at once. An unconfirmed job is looked for with `find`.
        """
        ...

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        """Download the finished video to the file `sink`, and check that it is a video.

        The container may be MP4, or any other that can be converted.
        """
        ...

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),
    ) -> Listing:
        """List the remote jobs that match the request, or all of them if `request` is None.

        `hints`: the refs from webhooks that match no known job. Each of them is looked up as well.
        """
        ...

    async def cancel(self, ref: str) -> bool:
        """Try to stop the remote job, or to delete it if it has ended.

        Return True only if the provider confirms this.
        """
        ...

    def check_webhook(self, headers: Mapping[str, str], *, now: float) -> None:
        """Check a webhook's headers before its body is read; WebhookError: it is refused."""
        ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float, sent: bytes | None = None
    ) -> Webhook | None:
        """Verify a webhook, and return the job that it names, or None if it isn't about a video.

        `sent`: the body as it was sent, if it was compressed. Either form can be signed.
        WebhookError: the webhook is forged, stale or unreadable.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
