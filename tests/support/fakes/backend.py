"""A provider that remembers the jobs that it charged for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from bot.backends.base import BackendUpdate, Listing, RemoteState, StatusPage
from bot.backends.capabilities import Capabilities
from bot.backends.echo import Echo
from bot.backends.responses.field_values import size_in
from bot.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.backends.base import AnsweredJob, VoiceSound, Webhook
    from bot.media.mp4.reader import VideoInfo
    from bot.model import VideoRequest
    from tests.support.fakes.clock import Clock

CLIP = b"the clip of "


@dataclass(kw_only=True)
class RemoteJob:
    """A job at the provider, which was charged for."""

    ref: str
    request: VideoRequest
    create_key: str
    created_at: float
    state: RemoteState = RemoteState.RUNNING
    progress: int | None = None
    error: BackendError | None = None
    cost: float | None = None
    expires_at: float | None = None


@dataclass
class FakeBackend:
    """A provider with its jobs.

    `charged`: the jobs that it charged for.
    `posts`: the number of creates that reached it. `heard`: the URL of the sound in each, or None.
    `pages`: the number of pages of its list that were read; they lack the jobs of `unlisted`.
    `contents`: the refs whose clip exists, although their job is not done or not known.
    Each call consumes the first fault of its list.
    """

    clock: Clock
    name: str = "fake"
    capabilities: Capabilities = field(default_factory=Capabilities)
    charged: dict[str, RemoteJob] = field(default_factory=dict[str, RemoteJob])
    posts: int = 0
    heard: list[str | None] = field(default_factory=list[str | None])
    polls: int = 0
    refusals: list[Exception] = field(default_factory=list[Exception])
    lost_answers: list[Exception] = field(default_factory=list[Exception])
    poll_faults: list[BackendError] = field(default_factory=list[BackendError])
    fetch_faults: list[Exception] = field(default_factory=list[Exception])
    page_faults: list[BackendError] = field(default_factory=list[BackendError])
    pages: int = 0
    page_size: int = 100
    unlisted: set[str] = field(default_factory=set[str])
    find_faults: list[BackendError] = field(default_factory=list[BackendError])
    cancel_faults: list[BackendError] = field(default_factory=list[BackendError])
    contents: set[str] = field(default_factory=set[str])
    clip_info: VideoInfo | None = None
    made: RemoteState = RemoteState.RUNNING
    lists: bool = True
    complete: bool = True
    certain: bool = True
    can_cancel: bool = True
    cancelled: list[str] = field(default_factory=list[str])
    hinted: list[str] = field(default_factory=list[str])
    in_submit: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.answer.set()

    async def submit(
        self, request: VideoRequest, *, create_key: str, voice: VoiceSound | None = None
    ) -> BackendUpdate:
        self.posts += 1
        self.heard.append(voice and voice.url)
        if self.refusals:
            raise self.refusals.pop(0)
        job = self.charge(request, create_key=create_key)
        self.in_submit.set()
        await self.answer.wait()
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return self._update(job)

    async def poll(self, ref: str) -> BackendUpdate:
        self.polls += 1
        if self.poll_faults:
            raise _fresh(self.poll_faults.pop(0))
        return self._update(self._known(ref))

    async def list_statuses(self, after: str | None) -> StatusPage | None:
        if self.page_faults:
            raise _fresh(self.page_faults.pop(0))
        if not self.lists:
            return None
        self.pages += 1
        jobs = [*reversed(self.charged.values())]
        refs = [job.ref for job in jobs]
        # Like OpenAI's, this list ends after a ref that it does not know.
        first = 0 if after is None else refs.index(after) + 1 if after in refs else len(refs)
        shown = jobs[first : first + self.page_size]
        more = len(jobs) > first + self.page_size
        return StatusPage(
            updates=tuple(self._update(job) for job in shown if job.ref not in self.unlisted),
            after=shown[-1].ref if more else None,
        )

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> VideoInfo | None:
        if self.fetch_faults:
            raise _fresh(self.fetch_faults.pop(0))
        if not self.has_content(update.ref):
            raise BackendError(ErrorKind.GONE, "no content")
        content = CLIP + update.ref.encode()
        assert len(content) <= max_bytes
        await asyncio.to_thread(sink.write_bytes, content)
        return self.clip_info

    def has_content(self, ref: str) -> bool:
        done = ref in self.charged and self.charged[ref].state is RemoteState.DONE
        return done or ref in self.contents

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),
    ) -> Listing:
        if self.find_faults:
            raise self.find_faults.pop(0)
        self.hinted += hints
        listed = [job for job in self.charged.values() if self.lists or job.ref in hints]
        found = [
            job
            for job in listed
            if request is None or job.request.fingerprint == request.fingerprint
        ]
        shown = {job.ref for job in listed if self.lists}
        return Listing(
            refs=tuple(job.ref for job in found),
            complete=self.complete,
            shows_own=any(each.order.ref in shown for each in answered),
            echoes={job.ref: self._echo(job) for job in found},
        )

    async def cancel(self, ref: str) -> bool:
        if self.cancel_faults:
            raise self.cancel_faults.pop(0)
        self.cancelled.append(ref)
        return self.can_cancel

    def check_webhook(self, headers: Mapping[str, str], *, now: float) -> None:
        raise NotImplementedError  # only the real adapters verify signatures

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, *, now: float, sent: bytes | None = None
    ) -> Webhook | None:
        raise NotImplementedError  # only the real adapters verify signatures

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def charge(self, request: VideoRequest, *, create_key: str = "elsewhere") -> RemoteJob:
        """Create a job, and charge for it."""
        ref = f"video_{next(self._numbers)}"
        self.charged[ref] = RemoteJob(
            ref=ref,
            request=request,
            create_key=create_key,
            created_at=self.clock(),
            state=self.made,
        )
        return self.charged[ref]

    def finish(self) -> None:
        """Finish every job, also those created later."""
        self.made = RemoteState.DONE
        for job in self.charged.values():
            job.state = RemoteState.DONE

    @property
    def only(self) -> RemoteJob:
        """The only job that was charged for."""
        (job,) = self.charged.values()
        return job

    def _known(self, ref: str) -> RemoteJob:
        if ref not in self.charged:
            raise BackendError(ErrorKind.GONE, "no such video")
        return self.charged[ref]

    def _update(self, job: RemoteJob) -> BackendUpdate:
        return BackendUpdate(
            ref=job.ref,
            state=job.state,
            progress=job.progress,
            error=job.error,
            cost=job.cost,
            expires_at=job.expires_at,
            echo=self._echo(job),
        )

    def _echo(self, job: RemoteJob) -> Echo:
        return Echo(
            prompt=job.request.prompt if self.certain else None,
            seconds=job.request.seconds,
            size=size_in(job.request.size),
            created_at=job.created_at,
            answered_at=self.clock(),
        )


def _fresh(error: Exception) -> Exception:
    """Return an error without a traceback, which would grow each time that a test raises it."""
    return error.with_traceback(None)
