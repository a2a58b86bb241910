"""A provider whose answers are lost, and a check that its videos reach the right orders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import UnconfirmedSubmitError
from bot.model import Job, JobState
from tests.support.fakes.backend import FakeBackend

if TYPE_CHECKING:
    from bot.backends.base import AnsweredJob, BackendUpdate, Listing, VoiceSound
    from bot.backends.echo import Echo
    from bot.model import VideoRequest
    from tests.support.fakes.backend import RemoteJob
    from tests.support.fakes.bench import Bench

RESTING = {JobState.UNDECIDED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


@dataclass
class ListedBackend(FakeBackend):
    """A provider whose list shows lengths only if `capabilities` say so.

    `lost`: whether the first create for a clip of each length arrives. Its answer is lost.
    `lost_creates`: the same for the first creates of any length.
    """

    lost: dict[int, bool] = field(default_factory=dict[int, bool])
    lost_creates: list[bool] = field(default_factory=list[bool])

    async def submit(
        self, request: VideoRequest, *, create_key: str, voice: VoiceSound | None = None
    ) -> BackendUpdate:
        if self.lost_creates:
            arrives = self.lost_creates.pop(0)
        elif request.seconds in self.lost:
            arrives = self.lost.pop(request.seconds)
        else:
            return await super().submit(request, create_key=create_key, voice=voice)
        if arrives:
            self.charge(request, create_key=create_key)
        raise UnconfirmedSubmitError("no answer")

    async def find(
        self,
        request: VideoRequest | None,
        *,
        hints: tuple[str, ...] = (),
        answered: tuple[AnsweredJob, ...] = (),
    ) -> Listing:
        everything = await super().find(None, hints=hints, answered=answered)
        refs = [
            ref
            for ref in everything.refs
            if request is None or not everything.echoes[ref].contradicts(request)
        ]
        return replace(everything, refs=tuple(refs))

    def _echo(self, job: RemoteJob) -> Echo:
        seconds = job.request.seconds if self.capabilities.echoes_length else None
        exact = self.capabilities.has_exact_lengths
        return replace(super()._echo(job), seconds=seconds, has_exact_length=exact)


async def run_both(bench: Bench, jobs: list[Job]) -> list[Job]:
    """Run the steps of both jobs in the order in which they are due, until neither can go on."""
    for _ in range(200):
        now = [await bench.now(job.id) for job in jobs]
        due = [job for job in now if job.state not in RESTING and job.next_at is not None]
        if not due:
            return now
        await bench.step(min(due, key=lambda job: job.next_at or 0).id)
    raise AssertionError([job.state for job in now])


def check(backend: FakeBackend, ended: list[Job]) -> None:
    """Assert that no video is at the wrong order, and that none was ordered twice unasked."""
    bound = [job for job in ended if job.remote_id is not None]
    assert len({job.remote_id for job in bound}) == len(bound)
    for job in bound:
        made = backend.charged[job.remote_id or ""]
        assert (made.create_key, made.request.seconds) == (job.create_key, job.request.seconds)
    keys = [made.create_key for made in backend.charged.values()]
    assert len(keys) == len(set(keys)), "ordered twice without being asked"
    for job in ended:
        assert job.state in {JobState.SUCCEEDED, JobState.UNDECIDED}
