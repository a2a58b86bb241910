"""Two orders of the same words differ in length. Their videos are not mixed up or paid twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.capabilities import Capabilities
from bot.model import Job, JobState
from bot.presets import ClipLengths
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.lost_answers import ListedBackend, check, run_both
from tests.support.fakes.orders import REQUEST, VOICE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock

LENGTHS = tuple(range(1, 61))
SHORT = replace(REQUEST, seconds=4)
VOICES = ((5.0, 8.0), (9.0, 8.0), (9.0, 5.0))


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
