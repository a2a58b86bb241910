"""Kills the bot at random moments, 500 times, and prints what became of every order.

Run as `python -m tests.proofs.kill [kills] [seed]`; 500 take about half an hour.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.wire import FakeDiscordError
from tests.proofs.kill.accounts import read_accounts
from tests.proofs.kill.provider import PRICE, HostileVideosApi
from tests.proofs.kill.verdict import Order, faults_of, outcomes
from tests.support.bot_process import open_bot
from tests.support.media import clips
from tests.support.wire import SECRET, WITHIN, Wire, free_port, query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from tests.proofs.kill.accounts import Accounts
    from tests.support.bot_process import BotProcess

_KILLS = 500
_NARRATED = 0.2
# The share of the bot's questions that people answer between two kills.
_ANSWERED = 0.3
_RETRY, _GIVE_UP = "Try again (may cost double)", "Give up"
# A job that another job has replaced is looked for during ten minutes.
_SETTLE_SECONDS = 40 * 60.0
_SETTLED = {"succeeded", "failed", "cancelled", "undecided"}
_MANY = "100000"
_EVENTS = """
SELECT jobs.interaction_id, job_events.to_state FROM job_events
JOIN jobs ON jobs.id = job_events.job_id ORDER BY job_events.rowid
"""


@dataclass(kw_only=True)
class _Typed:
    """An order, and what its person answered to the bot's question."""

    prompt: str
    interaction: Interaction
    tries: int = 0
    is_given_up: bool = False


class KillLoop:
    """Kills and restarts one bot, and lets people order from it."""

    def __init__(self, wire: Wire, api: HostileVideosApi, random: Random, voice: Path) -> None:
        self._wire = wire
        self._api = api
        self._random = random
        self._voice = voice
        self._typed: list[_Typed] = []

    async def kill_often(self, kills: int) -> None:
        """Start the bot, order, and kill it within two seconds; again and again."""
        for number in range(1, kills + 1):
            async with self._running() as bot:
                for _ in range(self._random.choice((1, 1, 2))):
                    await self._order()
                await self._answer_questions(_ANSWERED)
                await asyncio.sleep(self._random.uniform(0.0, 2.0))
                await bot.kill()
            if number % 25 == 0:
                print(f"{number} kills, {len(self._typed)} orders", flush=True)  # noqa: T201 - a report

    async def settle(self) -> None:
        """Let the last bot bring every order to an end, beside a provider without faults."""
        self._api.calm = True
        async with self._running():
            await self._wait_for_ends()
            await self._answer_questions(_ANSWERED)
            await asyncio.sleep(5)  # for messages that should not come
            await self._wait_for_ends()

    async def _wait_for_ends(self) -> None:
        async with asyncio.timeout(_SETTLE_SECONDS):
            while set(await asyncio.to_thread(self._states)) - _SETTLED:  # noqa: ASYNC110 - commits of the bot send no event here
                await asyncio.sleep(0.5)

    def orders(self) -> list[Order]:
        """Return all orders, with what their requesters have seen."""
        rows = query(self._wire.data_dir, "SELECT interaction_id, state FROM jobs")
        states = {int(interaction): state for interaction, state in rows if interaction}
        events: dict[int, list[str]] = defaultdict(list)
        for interaction, state in query(self._wire.data_dir, _EVENTS):
            events[interaction].append(state)
        discord = self._wire.fake_discord
        return [
            Order(
                prompt=typed.prompt,
                tries=typed.tries,
                is_given_up=typed.is_given_up,
                interaction=typed.interaction,
                state=states.get(typed.interaction.id),
                events=tuple(events[typed.interaction.id]),
                dms=discord.dms(typed.interaction.user),
                messages=_messages(typed.interaction),
            )
            for typed in self._typed
        ]

    def accounts(self) -> Accounts:
        """Return what the ledger and the provider say that the orders cost."""
        return read_accounts(self._wire.data_dir, self.orders(), self._api.billed)

    async def _order(self) -> None:
        number = len(self._typed) + 1
        user = self._wire.fake_discord.world.add_user(f"person{number}")
        prompt = f"Lighthouse number {number} at dusk"
        audio = self._voice if self._random.random() < _NARRATED else None
        interaction = await self._wire.type(prompt, audio, user=user)
        self._typed.append(_Typed(prompt=prompt, interaction=interaction))

    async def _answer_questions(self, share: float) -> None:
        """Press a button on some of the cards that ask what to do."""
        for typed in self._typed:
            buttons = {
                component["label"]: component["custom_id"]
                for message in _messages(typed.interaction)
                for component in message.components
                if component.get("label") in {_RETRY, _GIVE_UP}
            }
            if len(buttons) == len({_RETRY, _GIVE_UP}) and self._random.random() < share:
                await self._press(typed, buttons)

    async def _press(self, typed: _Typed, buttons: dict[str, str]) -> None:
        label = self._random.choice((_RETRY, _GIVE_UP))
        # The bot may act on a press that is killed before its answer, so each counts.
        typed.tries += label == _RETRY
        typed.is_given_up |= label == _GIVE_UP
        [message] = _messages(typed.interaction)
        # A message may have changed by now.
        with suppress(FakeDiscordError):
            await self._wire.fake_discord.click(
                message, buttons[label], user=typed.interaction.user
            )

    def _states(self) -> list[str]:
        return [state for (state,) in query(self._wire.data_dir, "SELECT state FROM jobs")]

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[BotProcess]:
        before = self._wire.fake_discord.gateway.identified
        await asyncio.to_thread(self._forget_sessions)
        async with open_bot(self._environment()) as bot:
            try:
                await self._wire.fake_discord.wait_for_bot(after=before, within=4 * WITHIN)
            except TimeoutError:
                sys.stderr.writelines(bot.lines[-50:])
                raise
            yield bot

    def _forget_sessions(self) -> None:
        """Let the bot log in at once, however often it was killed today."""
        path = self._wire.data_dir / "clapper.db"
        if path.exists():
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("DELETE FROM identifies")

    def _environment(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self._wire.fake_discord.token,
            "DISCORD_API_URL": self._wire.fake_discord.url,
            "DATA_DIR": str(self._wire.data_dir),
            "HTTP_PORT": str(self._wire.port),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": self._wire.api.base_url,
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "PROMPT_WRITER": "off",
            "PRICE_PER_CLIP": str(PRICE / 1_000_000),
            "BUDGET_MONTH": _MANY,
            "BUDGET_PER_USER_MONTH": _MANY,
            "MAX_JOBS": _MANY,
            "MAX_JOBS_PER_DAY": _MANY,
            "MAX_JOBS_PER_USER_DAY": _MANY,
        }


async def main(kills: int, seed: int) -> int:
    """Return 1 if an order was lost, charged too often or told twice, or if its cost is wrong."""
    random = Random(seed)  # noqa: S311 - not a secret
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clip, voice, port = root / "provider.mp4", root / "voice.wav", free_port()
        await asyncio.to_thread(clips.make_clip, clip, seconds=2, size="320x180")
        await asyncio.to_thread(clips.make_speech, voice, seconds=1)
        (root / "discord").mkdir()
        api = HostileVideosApi(
            random=random,
            clip=clip,
            webhook_url=f"http://127.0.0.1:{port}/api/webhook/video-events",
            webhook_secret=SECRET,
        )
        async with FakeDiscord(root / "discord") as discord, api:
            wire = Wire(fake_discord=discord, api=api, folder=root, clip=clip, port=port)
            loop = KillLoop(wire, api, random, voice)
            await loop.kill_often(kills)
            await loop.settle()
            return report(loop.orders(), api, kills, loop.accounts())


def report(orders: list[Order], api: HostileVideosApi, kills: int, accounts: Accounts) -> int:
    """Print what happened, and return the exit code."""
    wrong = {order.prompt: faults for order in orders if (faults := faults_of(order, api))}
    print(f"{kills} kills, {len(orders)} orders, {len(api.charges)} charged")  # noqa: T201 - a report
    for name, count in sorted(api.faults.items()):
        print(f"  provider: {name}: {count}")  # noqa: T201 - a report
    for state, count in outcomes(orders).most_common():
        print(f"  orders: {state}: {count}")  # noqa: T201 - a report
    for prompt, faults in wrong.items():
        print(f"  WRONG: {prompt}: {', '.join(faults)}")  # noqa: T201 - a report
    for line in accounts.lines():
        print(line)  # noqa: T201 - a report
    print(f"{len(wrong)} wrong, {accounts.wrong} costs wrong")  # noqa: T201 - a report
    return 1 if wrong or accounts.wrong else 0


def _messages(interaction: Interaction) -> list[Message]:
    return [message for message in (interaction.message, *interaction.followups) if message]


if __name__ == "__main__":
    # A killed bot cuts its uploads, and aiohttp logs each as an error.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    started = time.monotonic()
    counted = [int(value) for value in sys.argv[1:]]
    code = asyncio.run(main(*(counted + [_KILLS, int.from_bytes(os.urandom(4))][len(counted) :])))
    print(f"{time.monotonic() - started:.0f} s")  # noqa: T201 - a report
    sys.exit(code)
