"""Two orders of the same words differ in length. Their videos are not mixed up or paid twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.capabilities import Capabilities
from bot.errors import UnconfirmedSubmitError
from bot.model import Job, JobState
from bot.presets import ClipLengths
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.orders import REQUEST, VOICE

if TYPE_CHECKING:
    from pathlib import Path

    from bot.backends.base import AnsweredJob, BackendUpdate, Listing, VoiceSound
    from bot.backends.echo import Echo
    from bot.model import VideoRequest
    from tests.support.fakes.backend import RemoteJob
    from tests.support.fakes.clock import Clock

LENGTHS = tuple(range(1, 61))
SHORT = replace(REQUEST, seconds=4)
VOICES = ((5.0, 8.0), (9.0, 8.0), (9.0, 5.0))
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


@pytest.mark.parametrize("arrives", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("echoes", [{"prompt", "seconds"}, {"prompt"}])
async def test_lost_answers_of_the_same_words_mix_up_no_videos_and_order_none_twice(
    tmp_path: Path, clock: Clock, echoes: set[str], *, trusted: bool, arrives: tuple[bool, bool]
) -> None:
    features = Capabilities(lengths=LENGTHS, echoes=frozenset(echoes))
    lengths = ClipLengths.within(4, 30, LENGTHS)
    for number, voices in enumerate(VOICES):
        backend = ListedBackend(clock, capabilities=features, complete=trusted)
        backend.finish()
        backend.lost = {int(voice): there for voice, there in zip(voices, arrives, strict=True)}
        folder = tmp_path / str(number)
        async with open_bench(folder, clock, backend=backend, lengths=lengths) as bench:
            if trusted:
                await bench.trust_list()
            jobs = list[Job]()
            for person, voice in enumerate(voices, start=1):
                bench.editor.usual_sound_end = voice
                job = await bench.submit(SHORT, attachment=VOICE, user_id=person)
                jobs.append(await bench.step(job.id))
            assert [job.request.seconds for job in jobs] == [*voices]
            ended = await run_both(bench, jobs)
            check(backend, ended)
            if trusted:
                assert {job.state for job in ended} == {JobState.SUCCEEDED}


def check(backend: FakeBackend, ended: list[Job]) -> None:
    bound = [job for job in ended if job.remote_id is not None]
    assert len({job.remote_id for job in bound}) == len(bound)
    for job in bound:
        made = backend.charged[job.remote_id or ""]
        assert (made.create_key, made.request.seconds) == (job.create_key, job.request.seconds)
    keys = [made.create_key for made in backend.charged.values()]
    assert len(keys) == len(set(keys)), "ordered twice without being asked"
    for job in ended:
        assert job.state in {JobState.SUCCEEDED, JobState.UNDECIDED}


async def test_a_length_that_no_list_shows_keeps_a_second_create_of_the_same_words_waiting(
    bench: Bench,
) -> None:
    first = await bench.at(JobState.UNCONFIRMED)
    second = await bench.submit(replace(REQUEST, seconds=12))
    assert first.request.fingerprint != second.request.fingerprint
    await bench.step(second.id)
    claimed = await bench.claim(second.id)
    assert await bench.jobs.begin_submit(claimed) is None
    assert await bench.jobs.begin_submit(claimed, shows_length=True) is not None


async def test_the_video_of_an_order_that_is_undecided_is_not_taken_for_anothers(
    tmp_path: Path, clock: Clock
) -> None:
    features = Capabilities(lengths=LENGTHS, echoes=frozenset({"prompt"}))
    backend = ListedBackend(clock, capabilities=features)
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        undecided = await bench.at(JobState.UNCONFIRMED)
        await bench.jobs.move(await bench.claim(undecided.id), JobState.UNDECIDED)
        second = await bench.submit(replace(REQUEST, seconds=12))
        backend.lost = {12: False, 16: False}
        ended = await run_both(bench, [second])
        assert ended[0].state is JobState.UNDECIDED
        await bench.jobs.cancel_undecided(undecided.id)
        third = await bench.submit(replace(REQUEST, seconds=16))
        ended = await run_both(bench, [third])
        assert ended[0].state is JobState.UNDECIDED
        assert len(backend.charged) == 1
