"""Two orders of the same words over HTTP, whose answers are lost: judged by what people get."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.backends import capabilities
from bot.model import Job, JobState
from bot.presets import ClipLengths
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.lost_answers import run_both
from tests.support.fakes.orders import REQUEST, VOICE
from tests.support.providers.losing_api import LosingApi
from tests.support.providers.openai_setup import over_the_sdk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.backends.capabilities import Capabilities
    from tests.support.fakes.backend import FakeBackend
    from tests.support.fakes.clock import Clock

LENGTHS = tuple(range(1, 61))
SHORT = replace(REQUEST, seconds=4)
VOICES = ((9, 8), (5, 8), (9, 5))
# A server of which the bot does not know what its list repeats.
SERVER = replace(capabilities.OPENAI, lengths=LENGTHS)


@asynccontextmanager
async def opened(
    folder: Path, clock: Clock, features: Capabilities, **provider: Any
) -> AsyncGenerator[tuple[Bench, LosingApi]]:
    """Open a provider, and a bench with the adapter for it."""
    await asyncio.to_thread((folder / "clips").mkdir, parents=True)
    async with (
        LosingApi(folder / "clips", clock=clock, **provider) as api,
        AsyncExitStack() as stack,
    ):
        adapter = over_the_sdk(base_url=api.base_url, api_key=None, features=features, clock=clock)
        stack.push_async_callback(adapter.close)
        lengths = ClipLengths.within(4, 30, LENGTHS)
        # The bench gives the adapter to the engine. Only tests use more of the fake.
        backend = cast("FakeBackend", adapter)
        opening = open_bench(folder / "data", clock, backend=backend, lengths=lengths)
        yield await stack.enter_async_context(opening), api


async def order(bench: Bench, voice: int, person: int) -> Job:
    """Order the same words as everyone, with a voice of `voice` seconds."""
    job = await bench.submit(SHORT, attachment=VOICE, user_id=person)
    bench.editor.sound_ends[job.id] = voice
    return await bench.step(job.id)


async def assert_no_mix_up(bench: Bench, api: LosingApi, jobs: list[Job]) -> None:
    """Assert that each person has the video of the own order, and paid for no other."""
    for job in jobs:
        assert job.state in {JobState.SUCCEEDED, JobState.UNDECIDED}
        if job.state is JobState.SUCCEEDED:
            video = await bench.workspace.fetch_video(job.id)
            made = api.ordered[api.ref_in(await asyncio.to_thread(video.read_bytes))]
            assert made == bench.editor.sound_ends[job.id]
    assert max(Counter(api.ordered.values()).values(), default=1) == 1, "ordered twice unasked"


@pytest.mark.parametrize("arrives", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    ("features", "shows_seconds"),
    [(SERVER, True), (SERVER, False), (capabilities.STORYBOARD, True)],
    ids=["with seconds", "without seconds", "as the storyboard"],
)
async def test_lost_answers_of_the_same_words_mix_up_no_videos_and_order_none_twice(
    tmp_path: Path,
    clock: Clock,
    features: Capabilities,
    *,
    shows_seconds: bool,
    trusted: bool,
    arrives: tuple[bool, bool],
) -> None:
    for voices in VOICES if trusted and all(arrives) else VOICES[:1]:
        lost = dict(zip(voices, arrives, strict=True))
        folder = tmp_path / "-".join(map(str, voices))
        async with opened(folder, clock, features, lost=lost, shows_seconds=shows_seconds) as (
            bench,
            api,
        ):
            if trusted:  # the list has shown a job of this key
                await bench.run_out((await bench.submit(replace(SHORT, prompt="a boat"))).id)
            jobs = [await order(bench, voice, person) for person, voice in enumerate(voices, 1)]
            ended = await run_both(bench, jobs)
            await assert_no_mix_up(bench, api, ended)
            if trusted:
                assert {job.state for job in ended} == {JobState.SUCCEEDED}
