"""What is remembered of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.people import Notify, Person

if TYPE_CHECKING:
    from tests.fakes import Bench


async def test_who_chose_nothing_is_told_always(bench: Bench) -> None:
    assert await bench.people.get(5) == Person(user_id=5, notify=Notify.ALWAYS)


async def test_a_choice_is_remembered_for_that_person_alone(bench: Bench) -> None:
    await bench.people.choose(5, Notify.LATE, 20)
    await bench.people.choose(6, Notify.NEVER)
    assert await bench.people.get(5) == Person(user_id=5, notify=Notify.LATE, notify_minutes=20)
    assert await bench.people.get(6) == Person(user_id=6, notify=Notify.NEVER)
    await bench.people.choose(5, Notify.ALWAYS)
    assert await bench.people.get(5) == Person(user_id=5)


async def test_closed_dms_are_remembered_beside_the_choice_until_the_next_one(
    bench: Bench,
) -> None:
    await bench.people.dm_closed(5, now=7.0)
    assert await bench.people.get(5) == Person(user_id=5, dm_closed_at=7.0)
    await bench.people.choose(5, Notify.LATE, 3)
    assert (await bench.people.get(5)).dm_closed_at is None
    await bench.people.dm_closed(5, now=9.0)
    person = await bench.people.get(5)
    assert (person.notify, person.notify_minutes, person.dm_closed_at) == (Notify.LATE, 3, 9.0)


async def test_who_is_forgotten_is_as_if_new(bench: Bench) -> None:
    await bench.people.choose(5, Notify.NEVER)
    await bench.people.forget(5)
    await bench.people.forget(5)
    assert await bench.people.get(5) == Person(user_id=5)
