"""Many people order at once, in each way there is, against the cap of a day."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.delivery.views.button_ids import Action
from tests.support.rush import opened_form, press
from tests.support.wire import Wire, open_wire, query

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.user import User

CAP = 100
PEOPLE = 500
EACH = PEOPLE // 4
EARLY = 60
CLIENTS = 5
TOKENS = {f"client{n}": f"a-token-of-the-tests-{n}" for n in range(CLIENTS)}
SETTINGS: dict[str, Any] = {
    "max_jobs_per_day": CAP,
    "max_queue": 1000,
    "max_jobs_per_user": 50,
    "prompt_writer": "off",
    "api_token": ",".join(f"{name}:{token}" for name, token in TOKENS.items()),
}
TWO_DAYS = 2 * 24 * 60 * 60
PATIENCE = 120.0
UNSAVED = "Saving your request"


def copy_for(wire: Wire, people: list[User]) -> list[str]:
    """Store a video of two days ago for each person, and return the ids."""
    path = wire.data_dir / "clapper.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row["name"] for row in connection.execute("PRAGMA table_info(jobs)")]
        [made] = connection.execute("SELECT * FROM jobs").fetchall()
        ids: list[str] = []
        for number, person in enumerate(people, 1):
            copy = dict(made) | {
                "id": f"{number:032x}",
                "user_id": person.id,
                "interaction_id": number,
                "remote_id": f"old_{number}",
                "prompt": f"Old {number}",
                "created_at": made["created_at"] - TWO_DAYS,
            }
            ids.append(copy["id"])
            stored = {name: copy[name] for name in names}
            connection.execute(
                f"INSERT INTO jobs ({','.join(names)}) VALUES ({','.join(':' + n for n in names)})",  # noqa: S608 - names of columns
                stored,
            )
        connection.execute(
            "UPDATE jobs SET created_at = created_at - :days WHERE id = :id",
            {"id": made["id"], "days": TWO_DAYS},
        )
    return ids


async def answered(wire: Wire, interaction: Interaction) -> bool:
    """Return whether the answer becomes a job's card, and not a refusal."""
    answer = await wire.fake_discord.answer_to(interaction, within=PATIENCE)
    # A late order is answered before it is stored, and may still be refused then.
    await wire.fake_discord.wait_for(lambda: UNSAVED not in answer.text, within=PATIENCE)
    is_refused = f"{CAP} videos in 24 hours" in answer.text
    assert is_refused or not answer.ephemeral
    assert is_refused == ("Only the bot's operator can raise this limit" in answer.text)
    return not is_refused


async def by_command(wire: Wire, number: int) -> bool:
    user = wire.fake_discord.world.add_user(f"command {number}")
    options = {"prompt": f"Command {number}"}
    return await answered(wire, await wire.fake_discord.slash("video", options, user=user))


async def by_again(wire: Wire, person: User, job_id: str) -> bool:
    return await answered(wire, await press(wire.fake_discord, person, Action.AGAIN, job_id))


async def opened_edit(wire: Wire, person: User, job_id: str) -> Interaction:
    return await opened_form(wire.fake_discord, person, Action.EDIT, job_id, within=PATIENCE)


async def by_form(wire: Wire, opened: Interaction, number: int) -> bool:
    return await answered(
        wire, await wire.fake_discord.submit(opened, {"prompt": f"Form {number}"})
    )


async def by_api(wire: Wire, session: aiohttp.ClientSession, number: int) -> bool:
    token = TOKENS[f"client{number % CLIENTS}"]
    async with session.post(
        f"http://127.0.0.1:{wire.port}/api/generate",
        json={"scriptOrQuestion": f"API {number}"},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f"{number}"},
    ) as response:
        answer = await response.json()
        if response.ok:
            return True
        assert (response.status, answer["error"]["key"]) == (429, "caps.day")
        return False


async def test_500_people_at_once_cause_exactly_as_many_clips_as_the_cap(tmp_path: Path) -> None:
    async with open_wire(tmp_path, **SETTINGS) as wire:
        wire.fake_discord.limits.answer_within = PATIENCE  # caps are tested here, not the pace
        async with wire.bot():
            await wire.video("The first")
            await wire.wait_for_job()
        first = wire.creates()
        people = [wire.fake_discord.world.add_user(f"person {n}") for n in range(2 * EACH)]
        ids = await asyncio.to_thread(copy_for, wire, people)
        async with wire.bot(), aiohttp.ClientSession() as session:
            forms = await asyncio.gather(
                *(opened_edit(wire, people[EACH + n], ids[EACH + n]) for n in range(EACH))
            )
            orders: list[Coroutine[Any, Any, bool]] = []
            for number in range(EACH):
                orders += [
                    by_command(wire, number),
                    by_again(wire, people[number], ids[number]),
                    by_form(wire, forms[number], number),
                    by_api(wire, session, number),
                ]
            # A command is quicker than the other ways, which have to be among the accepted too.
            accepted = await asyncio.gather(*orders[:EARLY])
            assert all(accepted)
            accepted += await asyncio.gather(*orders[EARLY:])
            assert len(accepted) == PEOPLE
            assert sum(accepted) == CAP
            await _all_made(wire)
        assert wire.creates() - first == CAP


async def _all_made(wire: Wire) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(state != "succeeded" for (state,) in await asyncio.to_thread(_states, wire)):  # noqa: ASYNC110 - commits of the bot send no event here
            await asyncio.sleep(0.1)


def _states(wire: Wire) -> list[tuple[str]]:
    return query(wire.data_dir, "SELECT state FROM jobs")
