"""A create whose answer was lost, with every backend: it is never posted twice blindly.

The adapter, its connections, the steps and SQLite are real; the clock is a fake.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.model import JobState
from tests.support.fakes.bench import open_bench
from tests.support.media.clips import make_clip
from tests.support.providers.contract import ENTRIES
from tests.support.providers.stand_in import Fault
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from bot.model import Job
    from tests.support.fakes.backend import FakeBackend
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock
    from tests.support.providers.contract import Entry
    from tests.support.providers.video_stand_in import VideoStandIn

LISTING = "a_job_whose_answer_was_lost_is_found_in_the_list"
LISTS = [entry for entry in ENTRIES if LISTING not in entry.lacks]
NOTIFY = [entry for entry in ENTRIES if entry.secrets]
# Faults after which the provider has created the job, and charges for it.
ACCEPTED = {
    "500": Fault(after=True, status=500, body={"error": {"message": "oops"}}),
    "504": Fault(after=True, status=504, body="<html>Gateway time-out</html>"),
    "timed out": Fault(after=True, hang=True),
    "closed half-way": Fault(cut=True),
    "closed before the answer": Fault(after=True, reset=True),
    "an answer without an id": Fault(after=True, status=200, body={"status": "queued"}),
}
# Faults after which it has not, although the bot can't know that.
LOST = {
    "500": Fault(status=500, body={"error": {"message": "oops"}}),
    "timed out": Fault(hang=True),
    "closed": Fault(reset=True),
}
NO_LIST = Fault(status=405, body={"error": {"message": "Method not allowed"}})


@dataclass(kw_only=True)
class World:
    """A provider stand-in, and a bot that can be killed and restarted."""

    entry: Entry
    api: VideoStandIn
    root: Path
    clock: Clock

    @asynccontextmanager
    async def bot(self, *, base_url: str = "", **settings: Any) -> AsyncGenerator[Bench]:
        """Start the bot on the existing data."""
        signs = {"webhook_secrets": self.entry.secrets} if self.entry.secrets else {}
        settings = signs | settings
        backend = self.entry.connect(base_url or self.api.base_url, **settings)
        try:
            async with open_bench(
                self.root, self.clock, backend=cast("FakeBackend", backend)
            ) as bench:
                yield bench
        finally:
            await backend.close()

    async def submit(self, fault: Fault) -> Job:
        """Make a create fail, and return its job afterwards."""
        self.api.add_faults("create", fault)
        # Short only if no answer is expected, because a busy machine may answer slowly.
        settings = {"submit": 1.0} if fault.hang else {}
        async with self.bot(**settings) as bench:
            job = await bench.submit(self.entry.request)
            await bench.step(job.id)
            return await bench.step(job.id)

    @property
    def posts(self) -> int:
        return len(self.api.made("POST"))

    @property
    def charged(self) -> int:
        return len(self.api.creates)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def world(entry: Entry, clip: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[World]:
    async with entry.open(clip) as api:
        yield World(entry=entry, api=api, root=tmp_path, clock=clock)


def backend_of(bench: Bench) -> VideoBackend:
    return cast("VideoBackend", bench.backend)


each_backend = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
each_that_lists = pytest.mark.parametrize("entry", LISTS, ids=lambda entry: entry.name)


@each_that_lists
@pytest.mark.parametrize("case", ACCEPTED)
async def test_a_job_that_was_taken_without_an_answer_is_found_and_finished(
    world: World, case: str
) -> None:
    job = await world.submit(ACCEPTED[case])
    assert job.state is JobState.UNCONFIRMED
    async with world.bot() as bench:
        assert (await bench.step(job.id)).state is JobState.GENERATING
        world.api.finish(world.api.creates[0])
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert (world.posts, world.charged) == (1, 1)


@each_that_lists
@pytest.mark.parametrize("case", LOST)
async def test_a_job_that_was_not_taken_is_posted_again_only_after_two_lists_without_it(
    world: World, case: str
) -> None:
    job = await world.submit(LOST[case])
    async with world.bot() as bench:
        for _ in range(2):
            assert job.state is JobState.UNCONFIRMED
            job = await bench.step(job.id)
        assert (job.state, world.posts, world.charged) == (JobState.QUEUED, 1, 0)
        assert len(world.api.made("GET", "/videos")) == 2
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (world.posts, world.charged) == (2, 1)


@each_backend
@pytest.mark.parametrize("case", [*(f"taken: {case}" for case in ACCEPTED), *LOST])
async def test_where_nothing_is_listed_a_person_is_asked_and_nothing_is_posted_again(
    world: World, case: str
) -> None:
    fault = ACCEPTED[case.removeprefix("taken: ")] if case.startswith("taken") else LOST[case]
    world.api.add_faults("list", *[NO_LIST] * 50)
    job = await world.submit(fault)
    assert job.state is JobState.UNCONFIRMED
    async with world.bot() as bench:
        job = await bench.run_out(job.id)
        assert (job.state, job.next_at) == (JobState.UNDECIDED, None)
        assert bench.deliverer.cards[job.id] == "undecided"
    async with world.bot() as bench:
        bench.clock.advance(7 * 24 * 3600)
        assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert world.posts == 1
    assert world.charged == int(case.startswith("taken"))


@pytest.mark.parametrize("entry", NOTIFY, ids=lambda entry: entry.name)
async def test_a_webhook_names_the_job_that_nobody_could_find(world: World) -> None:
    world.api.add_faults("list", *[NO_LIST] * 50)
    job = await world.submit(ACCEPTED["timed out"])
    async with world.bot() as bench:
        await bench.run_out(job.id)
        [ref] = world.api.creates
        world.api.finish(ref)
        headers, body = world.entry.webhook(ref, at=bench.clock())
        webhook = backend_of(bench).parse_webhook(headers, body, now=bench.clock())
        assert webhook is not None
        name = backend_of(bench).name
        await bench.jobs.receive_webhook(backend=name, webhook_id=webhook.id, remote_id=webhook.ref)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert (world.posts, world.charged) == (1, 1)


@each_backend
@pytest.mark.parametrize("case", ["before the POST", "after it"])
async def test_a_bot_that_died_in_a_create_does_not_post_it_again(world: World, case: str) -> None:
    async with world.bot() as bench:
        job = await bench.submit(world.entry.request)
        await bench.step(job.id)
        intended = await bench.jobs.begin_submit(await bench.claim(job.id))
        assert intended is not None
        if case == "after it":
            await backend_of(bench).submit(intended.request, create_key=intended.create_key or "")
    sent = world.posts
    async with world.bot() as bench:
        assert (await bench.step(job.id)).state is JobState.UNCONFIRMED
        found = await bench.step(job.id)
        if case == "after it" and world.entry in LISTS:
            assert found.state is JobState.GENERATING
        else:
            assert (await bench.step(job.id)).state in {JobState.QUEUED, JobState.UNDECIDED}
    assert world.posts == sent
    assert world.charged == sent


@each_backend
async def test_what_is_in_doubt_while_the_provider_is_down_is_not_posted_again(
    world: World,
) -> None:
    job = await world.submit(LOST["500"])
    async with world.bot(base_url=f"http://127.0.0.1:{free_port()}/v1") as bench:
        down = bench.worker()
        await bench.jobs.receive_webhook(
            backend=backend_of(bench).name, webhook_id="wh_9", remote_id="video_9"
        )
        claimed = await bench.claim(job.id)
        await down._advance(claimed)  # noqa: SLF001 - the step with the lane's error handling
        assert (await bench.now(job.id)).state is JobState.UNCONFIRMED
    assert (world.posts, world.charged) == (1, 0)


@each_backend
@pytest.mark.parametrize(
    ("status", "state"),
    [
        *((400, JobState.FAILED), (413, JobState.FAILED)),
        *((401, JobState.QUEUED), (402, JobState.QUEUED), (404, JobState.QUEUED)),
        *((405, JobState.QUEUED), (429, JobState.QUEUED)),
    ],
)
async def test_a_clear_no_is_no_doubt_and_charges_nothing(
    world: World, status: int, state: JobState
) -> None:
    job = await world.submit(Fault(status=status, body={"error": "no"}))
    assert (job.state, job.submitted_at, job.remote_id) == (state, None, None)
    assert (world.posts, world.charged) == (1, 0)


@each_backend
async def test_a_provider_that_was_never_reached_is_no_doubt(world: World) -> None:
    async with world.bot(base_url=f"http://127.0.0.1:{free_port()}/v1") as bench:
        job = await bench.submit(world.entry.request)
        await bench.step(job.id)
        waiting = await bench.step(job.id)
        assert (waiting.state, waiting.submitted_at) == (JobState.QUEUED, None)
    async with world.bot() as bench:
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (world.posts, world.charged) == (1, 1)
