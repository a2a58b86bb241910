"""Tests the stored settings of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.people import Notify, Person

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench


async def test_without_a_choice_every_video_is_announced(bench: Bench) -> None:
    assert await bench.people.get(5) == Person(user_id=5, notify=Notify.ALWAYS)


async def test_a_choice_is_stored_for_that_person_only(bench: Bench) -> None:
    await bench.people.choose(5, Notify.LATE, 20)
    await bench.people.choose(6, Notify.NEVER)
    assert await bench.people.get(5) == Person(user_id=5, notify=Notify.LATE, notify_minutes=20)
    assert await bench.people.get(6) == Person(user_id=6, notify=Notify.NEVER)
    await bench.people.choose(5, Notify.ALWAYS)
    assert await bench.people.get(5) == Person(user_id=5)


async def test_closed_dms_are_stored_beside_the_choice_until_the_next_choice(
    bench: Bench,
) -> None:
    await bench.people.dm_closed(5, now=7.0)
    assert await bench.people.get(5) == Person(user_id=5, dm_closed_at=7.0)
    await bench.people.choose(5, Notify.LATE, 3)
    assert (await bench.people.get(5)).dm_closed_at is None
    await bench.people.dm_closed(5, now=9.0)
    person = await bench.people.get(5)
    assert (person.notify, person.notify_minutes, person.dm_closed_at) == (Notify.LATE, 3, 9.0)


async def test_a_forgotten_person_has_the_defaults(bench: Bench) -> None:
    await bench.people.choose(5, Notify.NEVER)
    await bench.people.forget(5)
    await bench.people.forget(5)
    assert await bench.people.get(5) == Person(user_id=5)
