"""Tests the stored settings of people."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import storage
from storage.people import Notify, NotifyDefault, PeopleStore, Person

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")

MIGRATIONS = Path(storage.__file__).parent / "migrations"


async def test_without_a_choice_every_video_is_announced(bench: Bench) -> None:
    assert await bench.people.get(5) == Person(user_id=5, notify=Notify.ALWAYS)


async def test_a_choice_is_stored_for_that_person_only(bench: Bench) -> None:
    await bench.people.choose(5, Notify.LATE, 20)
    await bench.people.choose(6, Notify.NEVER)
    assert await bench.people.get(5) == Person(
        user_id=5, notify=Notify.LATE, notify_minutes=20, chosen=True
    )
    assert await bench.people.get(6) == Person(user_id=6, notify=Notify.NEVER, chosen=True)
    await bench.people.choose(5, Notify.ALWAYS)
    assert await bench.people.get(5) == Person(user_id=5, chosen=True)


async def test_the_operators_default_holds_for_those_who_have_not_chosen(bench: Bench) -> None:
    default = NotifyDefault(notify=Notify.LATE, minutes=7)
    people = PeopleStore(bench.database, default)
    by_default = Person(user_id=5, notify=Notify.LATE, notify_minutes=7)
    assert await people.get(5) == by_default
    # A refused DM does not count as a choice.
    await people.dm_closed(5, now=9.0)
    assert await people.get(5) == replace(by_default, dm_closed_at=9.0)
    await people.choose(5, Notify.ALWAYS)
    assert await people.get(5) == Person(user_id=5, notify=Notify.ALWAYS, chosen=True)
    await people.dm_closed(5, now=9.0)
    assert (await people.get(5)).notify is Notify.ALWAYS
    await people.delete(5)
    assert await people.get(5) == by_default


@pytest.mark.parametrize(
    ("notify", "closed_at", "chosen"),
    [("always", None, True), ("never", 7.0, True), ("late", 7.0, True), ("always", 7.0, False)],
)
def test_an_upgrade_keeps_what_people_chose(
    notify: str, closed_at: float | None, *, chosen: bool
) -> None:
    scripts = sorted(MIGRATIONS.glob("[0-9]*.sql"))
    [upgrade] = [path for path in scripts if path.stem.endswith("notify_chosen")]
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts[: scripts.index(upgrade)]:
            connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute(
            "INSERT INTO people (user_id, notify, dm_closed_at) VALUES (5, ?, ?)",
            (notify, closed_at),
        )
        connection.executescript(upgrade.read_text(encoding="utf-8"))
        assert connection.execute("SELECT chosen FROM people").fetchall() == [(chosen,)]


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


async def test_a_deleted_person_has_the_defaults(bench: Bench) -> None:
    await bench.people.choose(5, Notify.NEVER)
    await bench.people.delete(5)
    await bench.people.delete(5)
    assert await bench.people.get(5) == Person(user_id=5)
