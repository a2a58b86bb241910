"""Many people order at once, in each way there is, against the budget of a day."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.delivery.views.button_ids import Action
from bot.demo.fake_discord.uploads import Upload
from tests.support.media import clips
from tests.support.providers.chat_api import ChatApi
from tests.support.providers.speech_api import SpeechApi
from tests.support.rush import opened_form, press
from tests.support.wire import open_wire, query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.user import User
    from tests.support.wire import Wire

    # None: Discord took no answer, because the bot was too busy to give one within 3 seconds.
    Order = Coroutine[Any, Any, bool | None]

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
# In micro-dollars.
CLIP, TEXT, PROMPT = 800_000, 20_000, 1_000
MOST = CLIP + TEXT + PROMPT
MICROS = 1_000_000
# The accounts that order in each way, for each ten clips of the budget.
ACCOUNTS = {
    "command": 13,
    "again": 9,
    "edit form": 8,
    "api": 9,
    "try again": 3,
    "spoken form": 4,
    "audio form": 1,
    "narrate": 3,
}
TWO_DAYS = 2 * 24 * 60 * 60
PATIENCE = 240.0
UNANSWERED_SECONDS = 60.0
UNSAVED = "Saving your request"
REFUSED = "The bot's budget for today"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person with a job of two days ago: a finished one, or one that is undecided."""

    user: User
    job_id: str
    is_undecided: bool = False


def store(wire: Wire, accounts: list[Account]) -> None:
    """Store a copy of the one finished job, and of its video, for each account."""
    path = wire.data_dir / "clapper.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        [made] = connection.execute("SELECT * FROM jobs").fetchall()
        [artifact] = connection.execute("SELECT * FROM artifacts").fetchall()
        video = wire.data_dir / "videos" / f"{made['id']}.mp4"
        for number, account in enumerate(accounts, 1):
            prompt = f"Old {number}"
            copy = {
                "id": account.job_id,
                "user_id": account.user.id,
                "interaction_id": number,
                "prompt": prompt,
                "sent_prompt": prompt,
                "fingerprint": f"{number:064x}",
                "remote_id": f"old_{number}",
                "created_at": made["created_at"] - TWO_DAYS,
            }
            if account.is_undecided:
                copy |= {"state": "undecided", "remote_id": None, "settled_micros": None}
            insert(connection, "jobs", dict(made) | copy)
            if not account.is_undecided:
                insert(connection, "artifacts", dict(artifact) | {"job_id": account.job_id})
                os.link(video, video.with_name(f"{account.job_id}.mp4"))
        connection.execute(
            "UPDATE jobs SET created_at = created_at - :days WHERE id = :id",
            {"id": made["id"], "days": TWO_DAYS},
        )


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    columns = connection.execute(f"PRAGMA table_info({table})")  # without generated ones
    names = [column["name"] for column in columns]
    connection.execute(
        f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join(':' + n for n in names)})",  # noqa: S608 - names of columns
        {name: row[name] for name in names},
    )


@dataclass(kw_only=True)
class Rush:
    """The orders of all accounts, each of which tells whether it was accepted."""

    wire: Wire
    session: aiohttp.ClientSession
    accounts: dict[str, list[Account]]
    sound: Path

    async def orders(self) -> list[list[Order]]:
        """Open the forms, and return the orders of each way."""
        edits = await self.open_forms("edit form", Action.EDIT)
        spoken = await self.open_forms("spoken form", Action.NARRATE)
        audio = await self.open_forms("audio form", Action.NARRATE)
        upload = Upload(filename="tone.mp3", content=self.sound, content_type="audio/mpeg")
        numbered = {way: enumerate(accounts) for way, accounts in self.accounts.items()}
        return [
            [self.type("video", {"prompt": f"Typed {n}"}, each) for n, each in numbered["command"]],
            [self.press(Action.AGAIN, each) for _, each in numbered["again"]],
            [self.submit(form, {"prompt": f"Edited {n}"}) for n, form in enumerate(edits)],
            [self.call(n) for n, _ in numbered["api"]],
            [self.press(Action.RETRY, each) for _, each in numbered["try again"]],
            [self.submit(form, {"text": f"Spoken {n}."}) for n, form in enumerate(spoken)],
            [self.submit(form, {"audio": upload}) for form in audio],
            [self.type("narrate", {"text": f"Read {n}."}, each) for n, each in numbered["narrate"]],
        ]

    async def open_forms(self, way: str, action: Action) -> list[Interaction]:
        opening = (
            opened_form(self.wire.fake_discord, each.user, action, each.job_id, within=PATIENCE)
            for each in self.accounts[way]
        )
        return await asyncio.gather(*opening)

    async def type(self, command: str, options: dict[str, str], account: Account) -> bool | None:
        fake_discord = self.wire.fake_discord
        return await self.is_accepted(fake_discord.slash(command, options, user=account.user))

    async def press(self, action: Action, account: Account) -> bool | None:
        pressed = press(self.wire.fake_discord, account.user, action, account.job_id)
        return await self.is_accepted(pressed)

    async def submit(self, form: Interaction, values: dict[str, Any]) -> bool | None:
        return await self.is_accepted(self.wire.fake_discord.submit(form, values))

    async def call(self, number: int) -> bool:
        async with self.session.post(
            f"http://127.0.0.1:{self.wire.port}/api/generate",
            json={"scriptOrQuestion": f"Called {number}"},
            headers={"Authorization": f"Bearer {token(number)}"},
        ) as response:
            answer = await response.json()
            assert response.ok or answer["error"]["key"] == "budget.day", answer
            return response.ok

    async def is_accepted(self, sent: Awaitable[Interaction]) -> bool | None:
        fake_discord, interaction = self.wire.fake_discord, await sent
        try:
            answer = await fake_discord.answer_to(interaction, within=UNANSWERED_SECONDS)
        except TimeoutError:
            return None
        # A late order is answered before it is stored, and may still be refused then.
        await fake_discord.wait_for(lambda: UNSAVED not in answer.text, within=PATIENCE)
        is_refused = REFUSED in answer.text
        is_private = answer.ephemeral and answer.text != "Trying again."
        assert is_refused or not is_private, answer.text
        return not is_refused


def token(number: int) -> str:
    return f"a-token-of-the-tests-{number}"


@pytest.mark.parametrize("tens", [1, pytest.param(10, marks=pytest.mark.proof)])
async def test_accounts_that_order_at_once_never_cost_more_than_the_budget(
    tmp_path: Path, tens: int
) -> None:
    sound = tmp_path / "tone.mp3"
    clips.make_tone(sound, seconds=1, volume=0.05)
    budget = 10 * tens * CLIP
    async with (
        SpeechApi(sound.read_bytes()) as speech,
        ChatApi() as writer,
        open_wire(tmp_path, max_queue=1000, max_jobs_per_day=1000, notify="never") as wire,
    ):
        wire.fake_discord.limits.answer_within = PATIENCE  # budgets are tested, not the pace
        async with wire.bot(prompt_writer="off"):
            await wire.video("The first")
            await wire.wait_for_job()
        first = wire.creates()
        accounts = make_accounts(wire, tens)
        await asyncio.to_thread(store, wire, [each for way in accounts.values() for each in way])
        names = (f"client{n}:{token(n)}" for n in range(len(accounts["api"])))
        settings: dict[str, Any] = {
            "price_per_clip": CLIP / MICROS,
            "price_per_narration": TEXT / MICROS,
            "price_per_prompt": PROMPT / MICROS,
            "budget_day": budget / MICROS,
            "max_narrations_per_day": 1000,
            "narration_backend": "openai",
            "narration_base_url": speech.base_url,
            "prompt_writer": "openai",
            "prompt_base_url": writer.base_url,
            "prompt_model": "gpt-test",
            "api_token": ",".join(names),
        }
        async with wire.bot(**settings), aiohttp.ClientSession() as session:
            rush = Rush(wire=wire, session=session, accounts=accounts, sound=sound)
            accepted = await order_all(await rush.orders())
            assert len(accepted) == 50 * tens
            assert accepted.count(False) > 0
            await all_ended(wire)
            # Jobs without an answer have failed for free. Others order in their place.
            for number in range(accepted.count(None)):
                other = wire.fake_discord.world.add_user(f"other {number}")
                account = Account(user=other, job_id="")
                if not await rush.type("video", {"prompt": f"Other {number}"}, account):
                    break
            await all_ended(wire)
        clips_made = wire.creates() - first
        texts = len(speech.made("POST", "/audio/speech"))
        prompts = len(writer.made("POST", "/chat/completions"))
        charged = clips_made * CLIP + texts * TEXT + prompts * PROMPT
        assert clips_made <= 10 * tens
        assert budget - MOST < charged <= budget
        [(spent,)] = query(wire.data_dir, "SELECT sum(amount) FROM ledger")
        assert spent == charged


def make_accounts(wire: Wire, tens: int) -> dict[str, list[Account]]:
    world = wire.fake_discord.world
    return {
        way: [
            Account(
                user=world.add_user(f"{way} {number}"),
                job_id=f"{kind:016x}{number:016x}",
                is_undecided=way == "try again",
            )
            for number in range(tens * count)
        ]
        for kind, (way, count) in enumerate(ACCOUNTS.items(), 1)
    }


async def order_all(ways: list[list[Order]]) -> list[bool | None]:
    """Send one order of each way, and then all others at once."""
    orders = [order for group in zip_longest(*ways) for order in group if order is not None]
    # A command is quicker than the other ways, which have to be among the accepted too.
    early = await asyncio.gather(*orders[: len(ways)])
    assert all(early)
    return [*early, *await asyncio.gather(*orders[len(ways) :])]


async def all_ended(wire: Wire) -> None:
    """Wait until every job has ended that was accepted."""
    is_open = "SELECT id FROM jobs WHERE state NOT IN ('succeeded', 'undecided', 'failed')"
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(query, wire.data_dir, is_open):  # noqa: ASYNC110 - commits of the bot send no event here
            await asyncio.sleep(0.1)
