"""A clip is as long as its narration, as far as the service offers it and the operator pays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.backends.openrouter.models import offers_in
from bot.jobs.costs.prices import Prices
from bot.model import JobState
from bot.presets import ClipLengths
from docs.capabilities import EXAMPLES, LONGEST, USUAL, VOICES, ordered
from storage.ledger.budgets import Budgets
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.orders import REQUEST, VOICE
from tests.support.providers.openrouter_api import model

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job, VideoRequest
    from tests.support.fakes.clock import Clock

SHORT = replace(REQUEST, seconds=USUAL)
SECOND = 100_000
PRICES = Prices(second=SECOND)
ANY = tuple(range(1, 61))
EXPECTED = {
    ("storyboard", 8): (4, 8, 8, 8, 8),
    ("storyboard", 15): (4, 8, 13, 15, 15),
    ("storyboard", 30): (4, 8, 13, 30, 30),
    ("openai", 8): (4, 8, 8, 8, 8),
    ("openai", 15): (4, 8, 12, 12, 12),
    ("openai", 30): (4, 8, 12, 12, 12),
    ("openrouter", 8): (4, 8, 8, 8, 8),
    ("openrouter", 15): (4, 8, 8, 8, 8),
    ("openrouter", 30): (4, 8, 8, 8, 8),
    ("gemini", 8): (4, 8, 8, 8, 8),
    ("gemini", 15): (4, 8, 13, 15, 15),
    ("gemini", 30): (4, 8, 13, 15, 15),
}


async def amounts(bench: Bench, job: Job) -> list[tuple[str, int]]:
    """List the ledger's entries of a job, in seconds of video."""
    rows = await bench.database.rows(
        "SELECT kind, amount FROM ledger WHERE job_id = :id ORDER BY id", {"id": job.id}
    )
    return [(row["kind"], row["amount"] // SECOND) for row in rows]


async def narrated(bench: Bench, end: float, *, request: VideoRequest = SHORT) -> Job:
    bench.editor.usual_sound_end = end
    job = await bench.submit(request, attachment=VOICE)
    return await bench.step(job.id)


@pytest.mark.parametrize(("backend", "longest"), EXPECTED)
async def test_each_voice_orders_and_costs_the_shortest_clip_that_holds_it(
    tmp_path: Path, clock: Clock, backend: str, longest: int
) -> None:
    lengths = ClipLengths.within(USUAL, longest, EXAMPLES[backend])
    async with open_bench(tmp_path, clock, prices=PRICES, lengths=lengths) as bench:
        bench.backend.finish()
        for voice, seconds in zip(VOICES, EXPECTED[backend, longest], strict=True):
            bench.editor.usual_sound_end = voice
            job = await bench.submit(SHORT, attachment=VOICE)
            assert await amounts(bench, job) == [("reserved", lengths.longest)]
            ended = await bench.run_out(job.id)
            assert (ended.state, ended.request.seconds) == (JobState.SUCCEEDED, seconds)
            made = bench.backend.charged[ended.remote_id or ""].request
            assert (made.seconds, made.fingerprint) == (seconds, ended.sent_request.fingerprint)
            rest = seconds - lengths.longest
            released = [("reserved", rest)] if rest else []
            reserved = ("reserved", lengths.longest)
            assert await amounts(bench, job) == [reserved, *released, ("settled", 0)]
            # The picture stands still for longer than half a second only at the longest length.
            assert voice - seconds <= 0.5 or seconds == lengths.longest
            assert ordered(backend, longest, voice) == seconds


def test_the_examples_offer_what_the_services_offer() -> None:
    (offer,) = offers_in({"data": [model("google/veo-3.1")]})
    assert (EXAMPLES["openrouter"], EXAMPLES["storyboard"]) == (offer.seconds, ANY)
    assert {(name, most) for name in EXAMPLES for most in LONGEST} == EXPECTED.keys()


def test_no_voice_of_up_to_thirty_seconds_ends_in_a_frozen_picture_where_that_is_offered() -> None:
    lengths = ClipLengths.within(8, 30, ANY)
    for tenths in range(1, 301):
        seconds = lengths.for_sound(tenths / 10)
        assert tenths / 10 - seconds <= 0.5
        assert seconds == 8 or tenths / 10 > seconds - 0.5  # never longer than needed


@pytest.mark.parametrize(
    ("longest", "offered", "ordered_for_a_minute"),
    [(None, ANY, 8), (8, ANY, 8), (30, (), 8), (30, (4, 8), 8), (30, (20, 10, 10), 20)],
)
def test_lengths_stay_between_the_usual_and_the_longest(
    longest: int | None, offered: tuple[int, ...], ordered_for_a_minute: int
) -> None:
    lengths = ClipLengths.within(8, longest, offered)
    assert (lengths.for_sound(0), lengths.for_sound(60)) == (8, ordered_for_a_minute)


async def test_an_order_without_a_narration_reserves_the_usual_length(
    tmp_path: Path, clock: Clock
) -> None:
    lengths = ClipLengths.within(USUAL, 30, ANY)
    async with open_bench(tmp_path, clock, prices=PRICES, lengths=lengths) as bench:
        job = await bench.submit(SHORT)
        assert await amounts(bench, job) == [("reserved", USUAL)]
        assert (await bench.step(job.id)).request == SHORT
        assert await amounts(bench, job) == [("reserved", USUAL)]


async def test_a_new_narration_keeps_the_clip_and_costs_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    lengths = ClipLengths.within(USUAL, 30, ANY)
    async with open_bench(tmp_path, clock, prices=PRICES, lengths=lengths) as bench:
        bench.backend.finish()
        first = await bench.run_out((await narrated(bench, 20)).id)
        bench.editor.usual_sound_end = 11
        again = await bench.submit(first.request, attachment=VOICE, clip_of=first.id)
        ended = await bench.run_out(again.id)
        assert (ended.state, ended.request.seconds) == (JobState.SUCCEEDED, 20)
        assert (await amounts(bench, again), bench.backend.posts) == ([], 1)


async def test_the_length_is_written_once_even_if_the_step_is_repeated(
    tmp_path: Path, clock: Clock
) -> None:
    lengths = ClipLengths.within(USUAL, 30, ANY)
    async with open_bench(tmp_path, clock, prices=PRICES, lengths=lengths) as bench:
        job = await bench.submit(SHORT, attachment=VOICE)
        claimed = await bench.claim(job.id)
        bench.editor.usual_sound_end = 12
        await bench.pipeline.steps[JobState.RECEIVED](claimed)
        bench.editor.usual_sound_end = 25
        await bench.pipeline.steps[JobState.RECEIVED](claimed)
        assert (await bench.now(job.id)).request.seconds == 12
        assert await amounts(bench, job) == [("reserved", 30), ("reserved", -18)]


async def test_what_a_short_voice_gives_back_can_be_spent_by_the_next_order(
    tmp_path: Path, clock: Clock
) -> None:
    lengths = ClipLengths.within(USUAL, 30, ANY)
    budgets = Budgets(day=34 * SECOND)
    async with open_bench(
        tmp_path, clock, prices=PRICES, lengths=lengths, budgets=budgets
    ) as bench:
        await narrated(bench, 3)
        await narrated(bench, 3, request=replace(SHORT, prompt="a dog"))
        assert (await bench.ledger.spending("all", bench.budgeting.today)).spent == 8 * SECOND


async def test_a_price_that_has_risen_since_never_takes_more_than_was_reserved(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, price=SECOND) as bench:
        job = await bench.submit(attachment=VOICE)
    async with open_bench(tmp_path, clock, price=3 * SECOND) as bench:
        assert (await bench.step(job.id)).state is JobState.QUEUED
        assert await amounts(bench, job) == [("reserved", 1)]


async def test_a_second_try_reserves_the_length_that_was_ordered(
    tmp_path: Path, clock: Clock
) -> None:
    lengths = ClipLengths.within(USUAL, 30, ANY)
    async with open_bench(tmp_path, clock, prices=PRICES, lengths=lengths) as bench:
        bench.editor.usual_sound_end = 12
        job = await bench.at(JobState.UNCONFIRMED, attachment=VOICE)
        await bench.jobs.move(await bench.claim(job.id), JobState.UNDECIDED)
        await bench.jobs.retry_undecided(job.id)
        assert [amount for _, amount in await amounts(bench, job)] == [30, -18, 12]
