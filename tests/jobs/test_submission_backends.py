"""A create whose answer was lost is never blindly repeated, with any backend.

The adapter, its connections, the steps and SQLite are real; the clock is a fake.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.model import JobState
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE, START
from tests.support.media.clips import make_clip
from tests.support.providers.contract import ENTRIES, STORYBOARD
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
    from tests.support.providers.videos_api import VideosApi

LISTING = "a_job_whose_answer_was_lost_is_found_in_the_list"
LISTS = [entry for entry in ENTRIES if LISTING not in entry.lacks]
NOTIFY = [entry for entry in ENTRIES if entry.secrets]
# Faults after which the provider has created the job, and charges for it.
ACCEPTED = {
    "500": Fault(after=True, status=500, body={"error": {"message": "oops"}}),
    "504": Fault(after=True, status=504, body="<html>Gateway time-out</html>"),
    "timed out": Fault(after=True, hang=True, passes=PATIENCE),
    "closed half-way": Fault(cut=True),
    "closed before the answer": Fault(after=True, reset=True),
    "an answer without an id": Fault(after=True, status=200, body={"status": "queued"}),
}
# Faults after which the provider has not created it, although the bot can't know that.
LOST = {
    "500": Fault(status=500, body={"error": {"message": "oops"}}),
    "timed out": Fault(hang=True, passes=PATIENCE),
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
        settings = {"submit": PATIENCE} if fault.hang else {}
        async with self.bot(**settings) as bench:
            job = await bench.submit(self.entry.request)
            await bench.step(job.id)
            return await bench.step(job.id)

    async def answered(self, **changes: Any) -> Job:
        """Order another video, whose create is answered."""
        request = replace(self.entry.request, prompt="a boat in a bottle", **changes)
        async with self.bot() as bench:
            job = await bench.submit(request)
            await bench.step(job.id)
            job = await bench.step(job.id)
            assert job.state is JobState.GENERATING
            return job

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
# What the bot concludes from a list does not depend on the transport that has fetched it.
at_a_list = pytest.mark.parametrize("entry", [STORYBOARD], ids=lambda entry: entry.name)


@each_that_lists
@pytest.mark.parametrize("case", ACCEPTED)
async def test_a_job_that_was_accepted_without_an_answer_is_found_and_finished(
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
async def test_a_job_that_was_not_accepted_is_posted_again_only_after_two_lists_without_it(
    world: World, case: str
) -> None:
    await world.answered()
    job = await world.submit(LOST[case])
    async with world.bot() as bench:
        for _ in range(2):
            assert job.state is JobState.UNCONFIRMED
            job = await bench.step(job.id)
        assert (job.state, world.posts, world.charged) == (JobState.QUEUED, 2, 1)
        assert len(world.api.made("GET", "/videos")) == 2
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (world.posts, world.charged) == (3, 2)


@each_backend
@pytest.mark.parametrize("case", [*(f"taken: {case}" for case in ACCEPTED), *LOST])
async def test_without_a_list_the_requester_is_asked_and_nothing_is_posted_again(
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
async def test_a_webhook_names_the_job_that_no_lookup_found(world: World) -> None:
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
        await bench.webhooks.receive(backend=name, webhook_id=webhook.id, remote_id=webhook.ref)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert (world.posts, world.charged) == (1, 1)


@each_backend
@pytest.mark.parametrize("case", ["before the POST", "after it"])
async def test_a_bot_that_was_killed_during_a_create_does_not_post_it_again(
    world: World, case: str
) -> None:
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
async def test_an_unconfirmed_create_is_not_posted_again_while_the_provider_is_down(
    world: World,
) -> None:
    job = await world.submit(LOST["500"])
    async with world.bot(base_url=f"http://127.0.0.1:{free_port()}/v1") as bench:
        down = bench.worker()
        await bench.webhooks.receive(
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
async def test_a_definite_refusal_is_not_unconfirmed_and_charges_nothing(
    world: World, status: int, state: JobState
) -> None:
    job = await world.submit(Fault(status=status, body={"error": "no"}))
    assert (job.state, job.submitted_at, job.remote_id) == (state, None, None)
    assert (world.posts, world.charged) == (1, 0)


@each_backend
async def test_a_create_that_never_reached_the_provider_is_not_unconfirmed(world: World) -> None:
    async with world.bot(base_url=f"http://127.0.0.1:{free_port()}/v1") as bench:
        job = await bench.submit(world.entry.request)
        await bench.step(job.id)
        waiting = await bench.step(job.id)
        assert (waiting.state, waiting.submitted_at) == (JobState.QUEUED, None)
    async with world.bot() as bench:
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (world.posts, world.charged) == (1, 1)


# --- an absence that proves nothing ---

EMPTY = Fault(status=200, body={"object": "list", "data": [], "has_more": False})


@at_a_list
@pytest.mark.parametrize("before", ["nothing", "a job whose create was answered"])
async def test_absence_from_a_list_that_is_always_empty_is_no_proof(
    world: World, before: str
) -> None:
    if before != "nothing":
        await world.answered()
    posts = world.posts
    world.api.add_faults("list", *[EMPTY] * 50)
    job = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert (world.posts, world.charged) == (posts + 1, posts + 1)


@at_a_list
@pytest.mark.parametrize(
    ("later", "state"), [(0, JobState.QUEUED), (25 * 3600, JobState.UNDECIDED)]
)
async def test_a_list_that_showed_a_job_of_this_key_is_trusted_for_a_day(
    world: World, later: float, state: JobState
) -> None:
    known = await world.answered()
    found = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        await bench.step(found.id)
        for each in (known, found):
            await bench.jobs.cancel(each.id)
            await bench.run_out(each.id)
    assert world.api.jobs == {}
    world.clock.advance(later)
    job = await world.submit(LOST["500"])
    async with world.bot() as bench:
        await bench.step(job.id)
        assert (await bench.step(job.id)).state is state


@at_a_list
@pytest.mark.parametrize(
    "echo",
    [{"prompt": "A cat, cinematic, in the light of dusk"}, {"size": "640x360"}, {"seconds": "5"}],
    ids=["prompt", "size", "length"],
)
async def test_a_list_that_shows_no_job_as_it_was_ordered_is_not_trusted(
    world: World, echo: dict[str, str]
) -> None:
    await world.answered()
    world.api.shape = lambda job: job | echo
    job = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert world.posts == 2


@at_a_list
async def test_a_job_whose_prompt_is_listed_only_in_part_is_found(world: World) -> None:
    await world.answered()
    request = replace(world.entry.request, prompt="a very long story about a cat " * 9)
    world.api.shape = lambda job: job | {"prompt": job["prompt"][:50] + "..."}
    world.api.add_faults("create", ACCEPTED["500"])
    async with world.bot() as bench:
        job = await bench.submit(request)
        for _ in range(3):
            job = await bench.step(job.id)
        assert job.state is JobState.GENERATING
    assert world.posts == 2


@at_a_list
async def test_a_job_that_a_webhook_named_is_not_absent_because_one_replica_lacks_it(
    world: World,
) -> None:
    known = await world.answered()
    job = await world.submit(ACCEPTED["500"])
    ref = world.api.creates[-1]
    async with world.bot() as bench:
        name = backend_of(bench).name
        await bench.webhooks.receive(backend=name, webhook_id="wh_1", remote_id=ref)
        page = {"object": "list", "data": [world.api.jobs[known.remote_id or ""]]}
        world.api.add_faults("list", *[Fault(status=200, body=page | {"has_more": False})] * 9)
        world.api.add_faults("retrieve", *[Fault(status=404, body={})] * 9)
        assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert world.posts == 2


# --- the provider's clock and ours ---


@at_a_list
@pytest.mark.parametrize("ahead", [7 * 60, 2 * 24 * 3600, -7 * 60, -6 * 3600])
async def test_a_clock_that_differs_from_the_providers_hides_no_job(
    world: World, ahead: float
) -> None:
    world.clock.advance(ahead)
    await world.answered()
    job = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        assert (await bench.step(job.id)).state is JobState.GENERATING
    assert (world.posts, world.charged) == (2, 2)


@at_a_list
async def test_a_clock_that_is_set_back_after_a_create_hides_no_job(world: World) -> None:
    await world.answered()
    world.clock.advance(6 * 3600)
    job = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        await bench.claim(job.id)
        world.clock.advance(-6 * 3600)
        await bench.database.rows("UPDATE jobs SET next_at = :now", {"now": world.clock()})
        assert (await bench.step(job.id)).state is JobState.GENERATING


# --- an id that is used twice ---


def renumber(world: World) -> None:
    """Restart the server, which deletes its jobs and numbers the next ones from 1."""
    api = cast("VideosApi", world.api)
    api.jobs.clear()
    numbers = count(1)
    api.new_id = lambda: str(next(numbers))


@at_a_list
async def test_an_id_that_an_open_job_has_makes_the_new_one_undecided_at_once(
    world: World,
) -> None:
    renumber(world)
    first = await world.answered()
    renumber(world)
    async with world.bot() as bench:
        second = await bench.submit(world.entry.request)
        await bench.step(second.id)
        assert (await bench.step(second.id)).state is JobState.UNDECIDED
        assert (await bench.run_out(second.id)).state is JobState.UNDECIDED
        world.api.finish("1")
        lost = await bench.run_out(first.id)
        assert lost.failure is not None
        assert lost.failure.key == "failed.gone"
        assert (await bench.run_out(second.id)).state is JobState.UNDECIDED
        await bench.retention.delete(first.id)
        await bench.remote_deletion.delete_remote_jobs()
    assert world.posts == world.charged == 2
    assert world.api.made("GET", "/videos/1/content") == []
    assert world.api.made("DELETE") == []


@at_a_list
async def test_the_id_of_an_ended_job_is_reassigned_to_the_new_one(world: World) -> None:
    renumber(world)
    first = await world.answered()
    async with world.bot() as bench:
        world.api.finish("1")
        assert (await bench.run_out(first.id)).state is JobState.SUCCEEDED
        renumber(world)
        second = await bench.submit(world.entry.request)
        await bench.step(second.id)
        assert (await bench.step(second.id)).remote_id == "1"
        await bench.retention.delete(first.id)
        await bench.remote_deletion.delete_remote_jobs()
        world.api.finish("1")
        assert (await bench.run_out(second.id)).state is JobState.SUCCEEDED
    assert world.posts == 2
    assert world.api.made("DELETE") == []


@at_a_list
async def test_a_cancellation_that_is_still_due_stops_no_other_job_with_that_id(
    world: World,
) -> None:
    renumber(world)
    first = await world.answered()
    async with world.bot() as bench:
        await bench.jobs.cancel(first.id)
        renumber(world)
        second = await bench.submit(world.entry.request)
        await bench.step(second.id)
        assert (await bench.step(second.id)).state is JobState.GENERATING
        await bench.run_out(first.id)
    assert world.api.made("DELETE") == []


@at_a_list
async def test_a_cancellation_stops_no_job_of_other_people(world: World) -> None:
    renumber(world)
    job = await world.answered()
    async with world.bot() as bench:
        await bench.jobs.cancel(job.id)
        world.api.jobs["1"]["prompt"] = "an order of another program"
        await bench.run_out(job.id)
    assert world.api.made("DELETE") == []


@at_a_list
@pytest.mark.parametrize("holder", ["open", "ended"])
async def test_an_answer_for_a_cancelled_job_with_an_id_in_use_deletes_nothing_of_others(
    world: World, holder: str
) -> None:
    renumber(world)
    first = await world.answered()
    async with world.bot() as bench:
        if holder == "ended":
            world.api.finish("1")
            await bench.run_out(first.id)
        renumber(world)
        second = await bench.submit(world.entry.request)
        await bench.step(second.id)
        intended = await bench.jobs.begin_submit(await bench.claim(second.id))
        assert intended is not None
        await bench.jobs.cancel(second.id)
        update = await backend_of(bench).submit(intended.request, create_key="k")
        await bench.pipeline._submission._bind(intended, update)  # noqa: SLF001 - the late answer
        assert (await bench.run_out(second.id)).state is JobState.CANCELLED
    assert len(world.api.made("DELETE")) == (holder == "ended")


@at_a_list
@pytest.mark.parametrize("state", [JobState.GENERATING, JobState.DOWNLOADING])
@pytest.mark.parametrize(
    "echo",
    [{"prompt": "another"}, {"size": "720x1280"}, {"seconds": "12"}, {"created_at": 1.8e9 + 60}],
    ids=["prompt", "size", "length", "creation"],
)
async def test_a_job_that_is_described_as_another_is_neither_delivered_nor_deleted(
    world: World, echo: dict[str, Any], state: JobState
) -> None:
    job = await world.answered()
    ref = job.remote_id or ""
    async with world.bot() as bench:
        world.api.finish(ref)
        if state is JobState.DOWNLOADING:
            assert (await bench.step(job.id)).state is state
            bench.clock.advance(31)  # the answer is not fresh any more
        world.api.jobs[ref].update(echo)
        lost = await bench.run_out(job.id)
        assert lost.failure is not None
        assert lost.failure.key == "failed.gone"
        await bench.retention.delete(job.id)
        await bench.remote_deletion.delete_remote_jobs()
    assert world.api.made("GET", f"/videos/{ref}/content") == []
    assert world.api.made("DELETE") == []


@at_a_list
async def test_a_job_that_is_described_as_another_for_a_while_is_not_lost(
    world: World,
) -> None:
    job = await world.answered()
    ref = job.remote_id or ""
    async with world.bot() as bench:
        world.api.finish(ref)
        theirs = Fault(status=200, body=world.api.jobs[ref] | {"prompt": "another"})
        world.api.add_faults("retrieve", *[theirs] * 12)
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


@at_a_list
async def test_at_the_deadline_another_job_under_the_id_is_not_stopped(world: World) -> None:
    job = await world.answered()
    async with world.bot() as bench:
        world.api.jobs[job.remote_id or ""]["prompt"] = "another"
        bench.clock.advance(3600)
        assert (await bench.run_out(job.id)).state is JobState.FAILED
    assert world.api.made("DELETE") == []


@at_a_list
@pytest.mark.parametrize("always", ["another prompt", "the time of each answer"])
async def test_a_server_that_always_echoes_something_else_is_trusted(
    world: World, always: str
) -> None:
    now = START

    def shape(job: dict[str, Any]) -> dict[str, Any]:
        if always == "another prompt":
            return job | {"prompt": "A boat, cinematic, in the light of dusk"}
        return job | {"created_at": now}

    world.api.shape = shape
    world.api.clock = lambda: now
    job = await world.answered()
    now += 600
    async with world.bot() as bench:
        world.api.finish(job.remote_id or "")
        assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED


@at_a_list
@pytest.mark.parametrize("holder", ["open", "ended"])
async def test_a_lost_answer_with_an_id_in_use_is_not_absent_from_the_list(
    world: World, holder: str
) -> None:
    renumber(world)
    first = await world.answered()
    async with world.bot() as bench:
        if holder == "ended":
            world.api.finish("1")
            await bench.run_out(first.id)
    renumber(world)
    job = await world.submit(ACCEPTED["500"])
    async with world.bot() as bench:
        found = await bench.step(job.id)
        expected = JobState.UNDECIDED if holder == "open" else JobState.GENERATING
        assert found.state is expected
    assert world.posts == 2


@at_a_list
async def test_absence_from_the_list_of_a_server_that_reuses_ids_is_no_proof(world: World) -> None:
    renumber(world)
    first = await world.answered()
    async with world.bot() as bench:
        world.api.finish("1")
        await bench.run_out(first.id)
    renumber(world)
    assert (await world.answered()).remote_id == first.remote_id
    # Its job may have had an id that the server has given to another job since.
    job = await world.submit(LOST["500"])
    async with world.bot() as bench:
        assert (await bench.run_out(job.id)).state is JobState.UNDECIDED
    assert world.posts == 3
