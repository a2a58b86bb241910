"""Copies that the desk orders, and that a worker makes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.delivery.copies.ordered_copies import OrderedCopies
from bot.errors import DeliveryError, MediaError
from bot.model import JobState
from bot.runtime.roles.copy_maker import CopyMaker
from storage.delivery.copy_orders import TAKEN_SECONDS, CopyOrder, CopyOrderStore
from storage.jobs.polling.list_turns import TURN_SECONDS, ListTurns
from tests.support.fakes.clock import PATIENCE

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")

LIMIT = 1000


class Shrinker:
    """An editor that writes a copy of `size` bytes, or none if `size` is None."""

    def __init__(self, bench: Bench, size: int | None) -> None:
        self._workspace = bench.workspace
        self.size = size
        self.made: list[tuple[str, bool]] = []
        self.fails = False

    async def shrink(
        self, job_id: str, *, limit_bytes: int, decent: bool, in_background: bool = False
    ) -> None:
        assert limit_bytes == LIMIT
        self.made.append((job_id, in_background))
        if self.fails:
            raise MediaError("ffmpeg is missing")
        if self.size is not None:
            async with self._workspace.new_copy(job_id, decent=decent) as path:
                path.write_bytes(b"x" * self.size)


def desk(bench: Bench, store: CopyOrderStore) -> OrderedCopies:
    return OrderedCopies(store, bench.workspace, sleep=bench.clock.sleep)


def maker(store: CopyOrderStore, shrinker: Shrinker, *, in_background: bool = False) -> CopyMaker:
    return CopyMaker(store, shrinker, in_background=in_background)


@pytest.mark.parametrize("size", [900, None])
async def test_a_copy_is_made_by_a_worker_or_found_to_be_impossible(
    bench: Bench, size: int | None
) -> None:
    job = await bench.at(JobState.DELIVERING)
    store, shrinker = CopyOrderStore(bench.database, clock=bench.clock), Shrinker(bench, size)
    copies = desk(bench, store)
    waiting = asyncio.create_task(
        copies.shrink(job.id, limit_bytes=LIMIT, decent=True), name="desk"
    )
    async with asyncio.timeout(PATIENCE):
        while not await maker(store, shrinker).make_next():
            assert not await maker(store, shrinker, in_background=True).make_next()
        await waiting
        assert await bench.workspace.copy_size(job.id, decent=True) == size
        assert shrinker.made == [(job.id, False)]
        if size is not None:  # a copy that is small enough is not ordered again
            await copies.shrink(job.id, limit_bytes=LIMIT, decent=True)
    assert await bench.database.rows("SELECT * FROM copy_orders", {}) == []


async def test_a_copy_that_no_worker_makes_is_waited_for_later(bench: Bench) -> None:
    job = await bench.at(JobState.DELIVERING)
    store = CopyOrderStore(bench.database, clock=bench.clock)
    with pytest.raises(DeliveryError, match="no worker"):
        await desk(bench, store).shrink(job.id, limit_bytes=LIMIT, decent=True, in_background=True)
    # The order stays, for a worker that comes later.
    shrinker = Shrinker(bench, 1)
    assert await maker(store, shrinker, in_background=True).make_next()
    assert shrinker.made == [(job.id, True)]


async def test_the_order_of_a_lost_worker_is_taken_by_another(bench: Bench) -> None:
    job = await bench.at(JobState.DELIVERING)
    store = CopyOrderStore(bench.database, clock=bench.clock)
    order = CopyOrder(job_id=job.id, decent=True, limit_bytes=LIMIT, in_background=False)
    await store.order(order)
    assert await store.take(in_background=False) == order
    await store.order(order)  # by a new desk
    assert await store.take(in_background=False) is None
    bench.clock.advance(TAKEN_SECONDS - 1)
    await store.hold(order)
    bench.clock.advance(2)
    assert await store.take(in_background=False) is None
    bench.clock.advance(TAKEN_SECONDS)
    assert await store.take(in_background=False) == order
    # An order for a smaller limit replaces the first one, whose copy does not end it.
    smaller = replace(order, limit_bytes=LIMIT - 1)
    await store.order(smaller)
    await store.finish(order)
    assert not await store.is_done(smaller)
    bench.clock.advance(2 * 24 * 60 * 60)
    await store.sweep()
    assert await store.is_done(smaller)


async def test_a_failed_copy_is_tried_again_after_a_while(bench: Bench) -> None:
    job = await bench.at(JobState.DELIVERING)
    store, shrinker = CopyOrderStore(bench.database, clock=bench.clock), Shrinker(bench, 1)
    await store.order(
        CopyOrder(job_id=job.id, decent=False, limit_bytes=LIMIT, in_background=False)
    )
    shrinker.fails = True
    with pytest.raises(MediaError):
        await maker(store, shrinker).make_next()
    shrinker.fails = False
    assert not await maker(store, shrinker).make_next()
    bench.clock.advance(TAKEN_SECONDS)
    assert await maker(store, shrinker).make_next()


async def test_one_process_at_a_time_reads_the_list(bench: Bench) -> None:
    one, other = (
        ListTurns(bench.database, backend="fake", worker=name, clock=bench.clock)
        for name in ("one", "other")
    )
    elsewhere = ListTurns(bench.database, backend="another", worker="other", clock=bench.clock)
    assert await one.take()
    assert not await other.take()
    assert await elsewhere.take()
    bench.clock.advance(TURN_SECONDS - 1)
    assert await one.take()
    bench.clock.advance(TURN_SECONDS)
    assert await other.take()
    assert not await one.take()
