"""Unconfirmed creates, and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backends.base import Listing
from tests.support.providers.openai_setup import NOW
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from tests.support.providers.contract_world import World

SINCE = NOW - 300


async def test_a_job_whose_answer_was_lost_is_found_in_the_list(world: World) -> None:
    world.api.add_faults("create", Fault(after=True, reset=True))
    await world.refused()
    found = await world.backend.find(world.entry.request)
    assert found == Listing(refs=tuple(world.api.creates), complete=True)


async def test_a_job_that_was_never_made_is_known_to_be_absent(world: World) -> None:
    found = await world.backend.find(world.entry.request)
    assert found == Listing(refs=(), complete=True)


async def test_without_a_list_absence_is_never_certain(world: World) -> None:
    for status in (400, 404, 405, 501):
        world.api.add_faults("list", Fault(status=status))
        assert not (await world.backend.find(world.entry.request)).complete, status


async def test_a_job_that_a_webhook_named_is_looked_up(world: World) -> None:
    ref = await world.submit()
    world.api.add_faults("list", Fault(status=405))
    found = await world.backend.find(world.entry.request, hints=(ref, "unknown", ref))
    assert (found.refs, found.complete) == ((ref,), False)


async def test_a_job_can_be_cancelled(world: World) -> None:
    ref = await world.submit()
    assert await world.backend.cancel(ref)
    assert world.api.is_cancelled(ref)
    assert await world.backend.cancel(ref)


async def test_a_404_to_a_cancellation_counts_only_if_the_job_is_gone(world: World) -> None:
    ref = await world.submit()
    world.api.add_faults("delete", Fault(status=404, body={"error": "not found"}))
    assert not await world.backend.cancel(ref)
    assert not world.api.is_cancelled(ref)


async def test_an_unconfirmed_cancellation_does_not_count(world: World) -> None:
    ref = await world.submit()
    faults = (
        Fault(status=405, body={"error": "Method Not Allowed"}),
        Fault(status=200, body={"deleted": False}),
        Fault(status=200, body="OK"),
        Fault(status=204),
        Fault(status=500, body={"deleted": True}),
        Fault(status=307, headers={"Location": "/v1/videos/other"}),
        Fault(reset=True),
    )
    for fault in faults:
        world.api.add_faults("delete", fault)
        assert not await world.backend.cancel(ref), fault
    assert len(world.api.made("DELETE")) <= len(faults)
