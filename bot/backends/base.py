"""What every adapter offers: the protocol, and their words for a remote job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.errors import BackendError
    from bot.model import VideoRequest


class RemoteState(StrEnum):
    """Every provider's status words, brought down to four."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendUpdate:
    """What a provider says of its job; `progress` is 0 to 100, or None when it tells none.

    `expires_at` is in Unix seconds, `cost` in US dollars, where the provider tells it; `result_url`
    is set by providers without a content route: an address, or a path at the provider.
    """

    ref: str
    state: RemoteState
    progress: int | None = None
    error: BackendError | None = None
    cost: float | None = None
    expires_at: float | None = None
    result_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Remote jobs that may be the one of a doubtful submit; absence counts only if `complete`.

    `certain`: every one of them echoes the request's prompt.
    """

    refs: tuple[str, ...]
    complete: bool
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A verified webhook: its own id, by which repetitions are known, and the ref it is about."""

    id: str
    ref: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a provider can do beyond the five calls, and how long a prompt may be.

    The default is what a person may type: as much is sent to every provider anyway.
    """

    webhooks: bool = False
    prompt_characters: int = 2000


class VideoBackend(Protocol):
    """One video-generation service.

    Every method raises BackendError when the provider refuses or can't be reached.
    """

    name: str
    capabilities: Capabilities

    async def submit(self, request: VideoRequest, *, create_key: str) -> BackendUpdate:
        """Ask for the video with exactly one POST; its answer may already be the end.

        UnconfirmedSubmitError: the provider may have taken, and charged for, the job. Any other
        BackendError: it definitely did not.
        """
        ...

    async def poll(self, ref: str) -> BackendUpdate:
        """Tell how the remote job stands; an error of kind GONE: the provider lost it."""
        ...

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        """Stream the finished video into the file `sink`, and check that it is a video."""
        ...

    async def find(
        self, request: VideoRequest, *, since: float, hints: tuple[str, ...] = ()
    ) -> Listing:
        """List remote jobs, not older than `since`, that match the request.

        `hints` are refs from webhooks that no job of ours claims: they are looked up by themselves.
        """
        ...

    async def cancel(self, ref: str) -> bool:
        """Try to stop the remote job, or to delete an ended one.

        True: it is certain that it has stopped, and nothing of it is left.
        """
        ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float
    ) -> Webhook | None:
        """Verify a webhook and return what it is about; None: not a video.

        WebhookError: forged, stale or unreadable.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...
