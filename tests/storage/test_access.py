"""The settings of who may order, and their audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.access.audit import AuditEntry, AuditStore
from storage.access.closed_log_channels import ClosedLogChannelStore
from storage.access.settings import (
    EVERYWHERE,
    MAX_TARGETS,
    AccessSettings,
    AccessSettingsStore,
    Change,
    Outcome,
    Rule,
    Setting,
)
from storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from storage.database import Database

pytestmark = pytest.mark.usefixtures("_on_each_database")

SERVER, OTHER, MANAGER, PERSON = 10, 11, 20, 30


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


async def change(
    database: Database, name: Setting, value: str | None, *, target: int = 0, scope: int = SERVER
) -> Outcome:
    store = AccessSettingsStore(database)
    wanted = Change(scope=scope, name=name, target=target, value=value)
    return await store.change(wanted, actor=MANAGER, now=5.0)


async def test_each_scope_has_its_own_settings_which_survive_a_restart(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        await change(database, Setting.CHANNEL, Rule.ALLOW, target=1)
        await change(database, Setting.CHANNEL, Rule.DENY, target=2)
        await change(database, Setting.ROLE, Rule.DENY, target=3)
        await change(database, Setting.ROLE_DAY, "5", target=3)
        await change(database, Setting.PERSON, Rule.DENY, target=PERSON)
        for name, value in (
            (Setting.PERSON_DAY, "2"),
            (Setting.SERVER_DAY, "9"),
            (Setting.LANGUAGE, "de"),
            (Setting.NOTIFY, "late:10"),
            (Setting.SPOILER, "on"),
            (Setting.AGE_RESTRICTED, "on"),
        ):
            await change(database, name, value)
        await change(database, Setting.SERVER, Rule.DENY, target=OTHER, scope=EVERYWHERE)
    async with open_database(tmp_path) as database:
        found = await AccessSettingsStore(database).read((EVERYWHERE, SERVER, OTHER), person=PERSON)
        assert found == {
            EVERYWHERE: AccessSettings(servers={OTHER: Rule.DENY}),
            SERVER: AccessSettings(
                channels={1: Rule.ALLOW, 2: Rule.DENY},
                roles={3: Rule.DENY},
                role_caps={3: 5},
                person=Rule.DENY,
                person_day=2,
                server_day=9,
                language="de",
                notify="late:10",
                is_spoiler=True,
                needs_age_restriction=True,
            ),
            OTHER: AccessSettings(),
        }
        another = await AccessSettingsStore(database).read((SERVER,), person=PERSON + 1)
        assert another[SERVER].person is None


async def test_the_audit_has_each_change_and_nothing_else(database: Database) -> None:
    assert await change(database, Setting.SERVER_DAY, "5") is Outcome.CHANGED
    assert await change(database, Setting.SERVER_DAY, "5") is Outcome.UNCHANGED
    assert await change(database, Setting.SERVER_DAY, "6") is Outcome.CHANGED
    assert await change(database, Setting.SERVER_DAY, None) is Outcome.CHANGED
    assert await change(database, Setting.SERVER_DAY, None) is Outcome.UNCHANGED
    assert await change(database, Setting.SERVER_DAY, "7", scope=OTHER) is Outcome.CHANGED
    assert await database.rows("SELECT * FROM access_settings WHERE scope = 10", {}) == []
    audit = AuditStore(database)
    event = AuditEntry(at=9.0, scope=SERVER, name="remove", target=PERSON, value="3", actor=None)
    await audit.record(event)
    newest = await audit.newest(SERVER, limit=3)
    assert newest[0] == event
    assert [(entry.value, entry.actor) for entry in newest[1:]] == [(None, MANAGER), ("6", MANAGER)]
    assert len(await audit.newest(SERVER, limit=99)) == 4


async def test_the_number_of_targets_is_limited_for_each_name_and_scope(database: Database) -> None:
    for person in range(1, MAX_TARGETS + 1):
        assert await change(database, Setting.PERSON, Rule.DENY, target=person) is Outcome.CHANGED
    full = await change(database, Setting.PERSON, Rule.DENY, target=MAX_TARGETS + 1)
    assert full is Outcome.FULL
    assert await change(database, Setting.PERSON, Rule.DENY, target=1) is Outcome.UNCHANGED
    assert await change(database, Setting.PERSON, None, target=1) is Outcome.CHANGED
    targets = await AccessSettingsStore(database).targets(SERVER, Setting.PERSON)
    assert (len(targets), targets[0]) == (MAX_TARGETS - 1, 2)


async def test_the_audit_keeps_the_newest_thousand_entries_of_a_scope(database: Database) -> None:
    await change(database, Setting.SPOILER, "on", scope=OTHER)
    for number in range(1005):
        await change(database, Setting.SERVER_DAY, str(number))
    rows = await database.rows(
        "SELECT scope, count(*) AS kept FROM access_audit GROUP BY scope", {}
    )
    assert {row["scope"]: row["kept"] for row in rows} == {SERVER: 1000, OTHER: 1}
    [newest] = await AuditStore(database).newest(SERVER, limit=1)
    assert newest.value == "1004"


async def test_a_forgotten_person_stays_in_a_block_in_effect_and_in_their_own_changes(
    database: Database,
) -> None:
    audit = AuditStore(database)
    for scope in (SERVER, OTHER):
        await change(database, Setting.PERSON, Rule.DENY, target=PERSON, scope=scope)
    await change(database, Setting.PERSON, None, target=PERSON, scope=OTHER)
    await change(database, Setting.CHANNEL, Rule.DENY, target=PERSON)  # the same id by chance
    for name, target, actor in (
        ("grant", PERSON, MANAGER),
        ("removal", PERSON, None),
        ("grant", PERSON + 1, PERSON),
    ):
        entry = AuditEntry(
            at=9.0, scope=EVERYWHERE, name=name, target=target, value="5", actor=actor
        )
        await audit.record(entry)
    assert await audit.names(PERSON)
    await audit.forget(PERSON)
    named = {
        scope: [(entry.name, entry.target) for entry in await audit.newest(scope, limit=9)]
        for scope in (EVERYWHERE, SERVER, OTHER)
    }
    assert named == {
        EVERYWHERE: [("grant", PERSON + 1), ("removal", 0), ("grant", 0)],
        SERVER: [("channel", PERSON), ("person", PERSON)],
        OTHER: [("person", 0), ("person", 0)],
    }
    assert await audit.names(PERSON)
    assert not await audit.names(PERSON + 2)


@pytest.mark.parametrize("value", ["7", "8", None])
async def test_a_log_channel_that_is_chosen_again_counts_as_open(
    database: Database, value: str | None
) -> None:
    await change(database, Setting.LOG_CHANNEL, "7", scope=EVERYWHERE)
    closed = ClosedLogChannelStore(database)
    await closed.record(7, reason="403 50001", now=6.0)
    await change(database, Setting.SPOILER, "on", scope=EVERYWHERE)
    assert await closed.newest() is not None
    await change(database, Setting.LOG_CHANNEL, value, scope=EVERYWHERE)
    assert await closed.newest() is None
