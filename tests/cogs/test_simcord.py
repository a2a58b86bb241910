"""Every button on every kind of card, before and after a restart, in SimCord.

SimCord is an in-process model of Discord. Unlike the stand-in it computes permissions from roles.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.delivery.views.button_ids import Action
from bot.discord_bot.bot import VideoBot
from bot.errors import UserError
from bot.model import JobState
from tests.support.desk import make_services
from tests.support.fakes.orders import VOICE

if TYPE_CHECKING:
    from collections.abc import Generator

    import simcord

    from bot.model import Job
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

OPEN, UNDECIDED = JobState.RECEIVED, JobState.UNDECIDED
STANDS_ON = {
    Action.CANCEL: OPEN,
    Action.RETRY: UNDECIDED,
    Action.GIVE_UP: UNDECIDED,
    Action.AGAIN: JobState.SUCCEEDED,
    Action.EDIT: JobState.SUCCEEDED,
    Action.NARRATE: JobState.SUCCEEDED,
    Action.ATTACH: JobState.FAILED,
    Action.DELETE: JobState.SUCCEEDED,
}
FILLED_IN: dict[Action, dict[str, Any]] = {
    Action.EDIT: {"prompt": "a dog"},
    Action.NARRATE: {"audio": ("voice.ogg", b"OggS")},
    Action.ATTACH: {"prompt": "a cat on a roof"} | {"audio": ("voice.ogg", b"OggS")},
    Action.DELETE: {"sure": True},
}
DONE = {
    Action.CANCEL: "Cancelled.",
    Action.RETRY: "Trying again.",
    Action.GIVE_UP: "I've given up on this video.",
}


@dataclass(kw_only=True)
class Stage:
    """A server with a requester of jobs, a moderator and a stranger."""

    env: simcord.Env
    bench: Bench
    clock: Clock
    channel: simcord.ChannelHandle
    owner: simcord.MemberActor
    moderator: simcord.MemberActor
    stranger: simcord.MemberActor

    async def restart(self) -> None:
        """Replace the bot by a new one, as after a restart."""
        await self.env.restart_bot(make_bot(self.bench, self.clock))

    async def cards(self, *, restarted: bool) -> dict[Action, tuple[Job, discord.Message]]:
        """Return for each button a job of the owner and a card that has the button."""
        cards = {action: await self._card_for(action) for action in Action}
        if restarted:
            await self.restart()
        return cards

    async def _card_for(self, action: Action) -> tuple[Job, discord.Message]:
        state = STANDS_ON[action]
        if action is Action.ATTACH:
            self.bench.editor.faults.append(UserError("audio.empty"))
        job = await self.bench.at(
            state,
            attachment=VOICE,
            user_id=self.owner.id,
            guild_id=self.channel.guild.id,
            channel_id=self.channel.id,
        )
        self.bench.backend.refusals.clear()
        cards = self.bot.services.cards
        if state is JobState.SUCCEEDED:
            view = cards.render_video(job, filename="a.mp4")
            files = [discord.File(self.bench.workspace.video(job.id), filename="a.mp4")]
        else:
            view, files = cards.render(job), []
        place = self.bot.get_partial_messageable(self.channel.id)
        return job, await place.send(view=view, files=files)

    async def press(
        self, who: simcord.MemberActor, message: discord.Message, action: Action, job: Job
    ) -> simcord.InteractionResult:
        return await who.click(message, custom_id=f"clapper:{action}:{job.id}")

    async def jobs(self) -> list[Job]:
        rows = await self.bench.database.rows("SELECT id FROM jobs ORDER BY rowid", {})
        return [await self.bench.now(row["id"]) for row in rows]

    @property
    def bot(self) -> VideoBot:
        assert isinstance(self.env.bot, VideoBot)
        return self.env.bot


def make_bot(bench: Bench, clock: Clock) -> VideoBot:
    return VideoBot(make_services(bench, clock))


@pytest.fixture
def simcord_bot(bench: Bench, clock: Clock) -> VideoBot:
    return make_bot(bench, clock)


@pytest.fixture
def stage(simcord_env: simcord.Env, bench: Bench, clock: Clock) -> Generator[Stage]:
    guild = simcord_env.create_guild()
    tidy = guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
    yield Stage(
        env=simcord_env,
        bench=bench,
        clock=clock,
        channel=guild.create_text_channel("general"),
        owner=guild.add_member(simcord_env.create_user("ada")),
        moderator=guild.add_member(simcord_env.create_user("mary"), roles=[tidy]),
        stranger=guild.add_member(simcord_env.create_user("grace")),
    )
    assert kept_views(simcord_env.bot) == 0


def kept_views(bot: discord.Client) -> int:
    """Count the cards and forms that discord.py keeps in memory."""
    store = bot._connection._view_store  # noqa: SLF001 - there is no public access
    return len(store._views) + len(store._modals) + len(store._synced_message_views)  # noqa: SLF001


def text_of(result: simcord.InteractionResult) -> str:
    """Return the text of an answer that only the person sees."""
    assert result.response is not None
    assert result.ephemeral
    return result.response.content


@pytest.mark.parametrize("restarted", [False, True])
async def test_every_button_serves_its_owner(stage: Stage, *, restarted: bool) -> None:
    cards = await stage.cards(restarted=restarted)
    for action, (job, card) in cards.items():
        result = await stage.press(stage.owner, card, action, job)
        if action in FILLED_IN:
            if restarted:
                await stage.restart()
            result = await stage.owner.submit_modal(result, FILLED_IN[action])
        await check_served(stage, action, job, card, result)


async def check_served(
    stage: Stage,
    action: Action,
    job: Job,
    card: discord.Message,
    result: simcord.InteractionResult,
) -> None:
    if action in DONE:
        assert text_of(result) == DONE[action]
    elif action is Action.DELETE:
        assert (await stage.bench.now(job.id)).deleted_at is not None
        assert card.id not in {message.id for message in stage.channel.history()}
    else:
        made = (await stage.jobs())[-1]
        assert result.response is not None
        assert (made.origin.message_id, result.ephemeral) == (result.response.id, False)
        assert made.attachment is not None
        expected = (None, job.id) if action is Action.NARRATE else (job.id, None)
        if action is Action.ATTACH:
            expected = (None, None)
        assert (made.narration_of, made.clip_of) == expected
        assert made.request.prompt == ("a dog" if action is Action.EDIT else job.request.prompt)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_moderator_stops_and_removes_but_spends_nothing(
    stage: Stage, *, restarted: bool
) -> None:
    cards = await stage.cards(restarted=restarted)
    before = await stage.jobs()
    for action, (job, card) in cards.items():
        result = await stage.press(stage.moderator, card, action, job)
        if action is Action.CANCEL:
            assert text_of(result) == "Cancelled."
        elif action is Action.DELETE:
            await stage.moderator.submit_modal(result, FILLED_IN[action])
            assert (await stage.bench.now(job.id)).deleted_at is not None
        else:
            assert "Only the person" in text_of(result), action
            assert (await stage.bench.now(job.id)).state is job.state
    assert len(await stage.jobs()) == len(before)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_stranger_does_nothing(stage: Stage, *, restarted: bool) -> None:
    cards = await stage.cards(restarted=restarted)
    before = await stage.jobs()
    for action, (job, card) in cards.items():
        result = await stage.press(stage.stranger, card, action, job)
        assert "Only the person" in text_of(result), action
    assert await stage.jobs() == before


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_breaks_in_a_button_or_its_form_is_told_to_the_person(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, restarted: bool
) -> None:
    cards = await stage.cards(restarted=restarted)
    incidents: list[str] = []
    async with stage.bench.unwritable():
        for action, (job, card) in cards.items():
            result = await stage.press(stage.owner, card, action, job)
            if action in FILLED_IN:
                result = await stage.owner.submit_modal(result, FILLED_IN[action])
            assert "Something went wrong" in text_of(result), action
            incidents.append(text_of(result).rpartition(" ")[2].rstrip("."))
    logged = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert logged == [f"interaction.failed id={incident}" for incident in incidents]


async def test_nothing_is_remembered_of_a_thousand_cards(stage: Stage) -> None:
    cards, place = stage.bot.services.cards, stage.bot.get_partial_messageable(stage.channel.id)
    for number in range(100):
        await stage.owner.slash(stage.channel, "video", prompt=f"cat {number}")
    jobs = await stage.jobs()
    for number in range(900):
        job = jobs[number % len(jobs)]
        message = place.get_partial_message(job.origin.message_id or 0)
        await message.edit(view=cards.render(job))
    last = stage.channel.last_message
    assert last is not None
    assert f"clapper:cancel:{jobs[-1].id}" in str(last.components)
    assert kept_views(stage.bot) == 0


async def test_nothing_is_remembered_of_forms_that_are_never_sent(stage: Stage) -> None:
    cards = await stage.cards(restarted=False)
    for action in FILLED_IN:
        job, card = cards[action]
        assert (await stage.press(stage.owner, card, action, job)).modal is not None
    assert kept_views(stage.bot) == 0
