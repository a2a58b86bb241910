"""Many people order at once, in each way there is, against a budget."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest

from bot.delivery.views.button_ids import Action
from bot.errors import UnconfirmedSubmitError
from bot.jobs.costs.prices import Prices
from bot.model import JobState
from storage.ledger.budgets import Budgets
from storage.speeches import SpeechCaps
from tests.support.clients.site import open_site
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import REQUEST
from tests.support.fakes.prompts import FakeWriter
from tests.support.media import clips
from tests.support.rush import opened_form, press

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.model import Job, JobChanged
    from tests.support.clients.site import Caller
    from tests.support.desk import Desk

    Order = Coroutine[Any, Any, bool]

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
PRICES = Prices(clip=800_000, voice=20_000, writer=1_000)
MOST = PRICES.clip + PRICES.voice + PRICES.writer
BUDGET = 100 * PRICES.clip
SPEECH_CAPS = SpeechCaps(per_user=999, per_day=999)
# Each has its own rate limit.
TOKENS = {f"client{n}": f"a-token-of-the-tests-{n}" for n in range(5)}
TWO_DAYS = 2 * 24 * 60 * 60
PATIENCE = 120.0
UNSAVED = "Saving your request"
# 500 orders in all.
COMMANDS, AGAIN, FORMS, CALLS, RETRIES, NARRATED, SPOKEN = 140, 90, 90, 100, 20, 50, 10


async def finished(desk: Desk, number: int) -> Job:
    request = replace(REQUEST, prompt=f"Old {number}")
    job = await desk.bench.submit(request, user_id=desk.fake_discord.world.user.id)
    desk.bench.backend.finish()
    return await desk.bench.run_out(job.id)


async def undecided(desk: Desk, number: int) -> Job:
    bench, request = desk.bench, replace(REQUEST, prompt=f"Lost {number}")
    job = await bench.submit(request, user_id=desk.fake_discord.world.user.id)
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    bench.backend.charge(replace(request, prompt=f"{request.prompt}\n\nTake {number + 1}."))
    while (job := await bench.now(job.id)).state is not JobState.UNDECIDED:
        await bench.step(job.id)
    await bench.circuit.accepted()  # otherwise, the queue would be held
    return job


class Orders:
    """The ways to order, each for one more person."""

    def __init__(self, desk: Desk, caller: Caller) -> None:
        self.desk = desk
        self.caller = caller
        self.fake_discord = desk.fake_discord
        self.stored = set[int]()
        desk.bench.bus.subscribe(self.on_job_changed)

    def on_job_changed(self, event: JobChanged) -> None:
        if event.previous is None and event.job.client is None:
            self.stored.add(event.job.origin.interaction_id)

    async def by_command(self, number: int) -> bool:
        user = self.fake_discord.world.add_user(f"command {number}")
        options = {"prompt": f"Command {number}"}
        return await self.is_accepted(self.fake_discord.slash("video", options, user=user))

    async def by_again(self, job: Job) -> bool:
        return await self.press(Action.AGAIN, job)

    async def by_form(self, form: Interaction, values: dict[str, str]) -> bool:
        return await self.is_accepted(self.fake_discord.submit(form, values))

    async def by_api(self, number: int) -> bool:
        body = {"scriptOrQuestion": f"API {number}"}
        token = TOKENS[f"client{number % len(TOKENS)}"]
        status, answer = await self.caller.ask("POST", "/api/generate", json=body, token=token)
        assert status == 200 or answer["error"]["key"] == "budget.day", answer
        return status == 200

    async def by_retry(self, job: Job) -> bool:
        return await self.press(Action.RETRY, job)

    async def by_narrate(self, number: int) -> bool:
        user = self.fake_discord.world.add_user(f"listener {number}")
        options = {"text": f"Listener {number}."}
        return await self.is_accepted(self.fake_discord.slash("narrate", options, user=user))

    async def press(self, action: Action, job: Job) -> bool:
        user = self.fake_discord.world.user
        return await self.is_accepted(press(self.fake_discord, user, action, job.id))

    async def is_accepted(self, sent: Awaitable[Interaction]) -> bool:
        interaction = await sent
        answer = await self.fake_discord.answer_to(interaction, within=PATIENCE)
        # A late order is answered before it is stored, and may still be refused then.
        async with asyncio.timeout(PATIENCE):
            while UNSAVED in answer.text and interaction.id not in self.stored:  # noqa: ASYNC110 - no single event tells both
                await asyncio.sleep(0.05)
        is_refused = "The bot's budget for today" in answer.text
        is_private = answer.ephemeral and answer.text != "Trying again."
        assert is_refused or not is_private, answer.text
        return not is_refused

    async def open_forms(self, action: Action, jobs: list[Job], count: int) -> list[Interaction]:
        user = self.fake_discord.world.user
        return await asyncio.gather(
            *(
                opened_form(
                    self.fake_discord, user, action, jobs[n % len(jobs)].id, within=PATIENCE
                )
                for n in range(count)
            )
        )


def in_turn(*ways: list[Order]) -> list[Order]:
    """Return one order of each way, then the next of each way, and so on."""
    return [order for group in zip_longest(*ways) for order in group if order is not None]


async def test_500_people_at_once_never_cost_more_than_the_budget(tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "tone.mp3", seconds=1, volume=0.05)
    voice, writer = FakeVoice((tmp_path / "tone.mp3").read_bytes()), FakeWriter()
    async with open_desk(
        tmp_path,
        voice=voice,
        speech_caps=SPEECH_CAPS,
        prices=PRICES,
        budgets=Budgets(day=BUDGET),
    ) as desk:
        bench = desk.bench
        bench.writer = writer
        bench.pipeline = bench.build_pipeline()
        old = [await finished(desk, number) for number in range(5)]
        lost = [await undecided(desk, number) for number in range(5, 5 + RETRIES)]
        desk.clock.advance(TWO_DAYS)

        def cost() -> int:
            """Return what the services have charged until now."""
            spoken = len(bench.editor.spoken) + len(voice.spoken)
            written = len(writer.written) * PRICES.writer
            return bench.backend.posts * PRICES.clip + spoken * PRICES.voice + written

        before = cost()
        async with open_site(bench, tokens=TOKENS) as caller:
            accepted = await _order_all(Orders(desk, caller), old, lost)
        assert len(accepted) == 500
        assert 100 <= sum(accepted) < 200
        spent = await bench.ledger.spending("all", bench.budgeting.today)
        assert BUDGET - MOST < spent.spent <= BUDGET
        await _run_all(desk)
        assert BUDGET - MOST < cost() - before <= BUDGET
        # What is not spent yet was reserved, and no more was charged than the ledger has.
        spent = await bench.ledger.spending("all", bench.budgeting.today)
        assert cost() - before == spent.spent


async def _order_all(orders: Orders, old: list[Job], lost: list[Job]) -> list[bool]:
    forms = await orders.open_forms(Action.EDIT, old, FORMS)
    narrations = await orders.open_forms(Action.NARRATE, old, NARRATED)
    waiting = in_turn(
        [orders.by_command(number) for number in range(COMMANDS)],
        [orders.by_again(old[number % len(old)]) for number in range(AGAIN)],
        [orders.by_form(form, {"prompt": f"Form {n}"}) for n, form in enumerate(forms)],
        [orders.by_api(number) for number in range(CALLS)],
        [orders.by_retry(job) for job in lost],
        [orders.by_form(form, {"text": f"Text {n}."}) for n, form in enumerate(narrations)],
        [orders.by_narrate(number) for number in range(SPOKEN)],
    )
    # A command is quicker than the other ways, which have to be among the accepted too.
    early = await asyncio.gather(*waiting[:35])
    assert all(early)
    return [*early, *await asyncio.gather(*waiting[35:])]


async def _run_all(desk: Desk) -> None:
    """Run all jobs that are due to their ends."""
    bench, is_due = desk.bench, "SELECT id FROM jobs WHERE next_at IS NOT NULL"
    read: Callable[[], Awaitable[list[Any]]] = lambda: bench.database.rows(is_due, {})  # noqa: E731
    while rows := await read():
        for row in rows:
            await bench.run_out(row["id"])
