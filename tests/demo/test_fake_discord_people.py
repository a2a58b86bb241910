"""People type commands, press buttons and fill in forms in the stand-in for Discord."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord
import pytest
from discord import app_commands, ui

from bot.demo.fake_discord.uploads import Upload
from bot.demo.fake_discord.wire import FakeDiscordError
from tests.support.scripted_bot import VOICE, Bot, Card, Form, online

if TYPE_CHECKING:
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interaction_events import Value
    from bot.demo.fake_discord.server import FakeDiscord


async def test_a_button_works_after_the_bot_has_restarted(fake_discord: FakeDiscord) -> None:
    async with online(fake_discord) as bot:

        async def show(interaction: discord.Interaction, _audio: object) -> None:
            await interaction.response.send_message(view=Card("queued", job="j1"))

        bot.script = show
        card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    async with online(fake_discord):
        clicked = await fake_discord.click(card, "cancel:j1")
        assert await fake_discord.answer_to(clicked) is card
        await fake_discord.wait_for(lambda: card.text == "cancelled j1")

    with pytest.raises(FakeDiscordError, match="can't be pressed"):
        await fake_discord.click(card, "cancel:j1")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": "fog", "style": "wild"}, "fog, wild, []"),
        (
            {"prompt": "snow", "voice": Upload(filename="voice.wav", content=VOICE)},
            f"snow, calm, [{len(VOICE)}]",
        ),
    ],
)
async def test_a_form_is_submitted(
    fake_discord: FakeDiscord, bot: Bot, values: dict[str, Value], said: str
) -> None:
    async def ask(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_modal(Form())

    bot.script = ask
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.wait_for(lambda: asked.modal)
    assert asked.message is None
    answer = await fake_discord.answer_to(await fake_discord.submit(asked, values))

    assert answer.text == said
    with pytest.raises(FakeDiscordError, match="no nonsense"):
        await fake_discord.submit(asked, {"nonsense": "x"})


async def test_only_a_form_can_be_submitted(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.answer_to(asked)
    with pytest.raises(FakeDiscordError, match="not answered with a form"):
        await fake_discord.submit(asked, {})


async def test_a_selection_is_sent_with_its_values(fake_discord: FakeDiscord, bot: Bot) -> None:
    chosen: list[str] = []
    view = ui.View()
    select: ui.Select[ui.View] = ui.Select(
        custom_id="size", options=[discord.SelectOption(label="small", value="s")]
    )

    async def choose(interaction: discord.Interaction) -> None:
        chosen.extend(select.values)
        await interaction.response.defer()
        await interaction.edit_original_response(content="chosen")
        await interaction.followup.send("indeed")

    async def offer(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("choose", view=view)

    select.callback = choose  # type: ignore[method-assign]
    view.add_item(select)
    bot.script = offer
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    clicked = await fake_discord.click(card, "size", values=["s"])
    (more,) = await fake_discord.wait_for(lambda: clicked.followups)

    assert (chosen, card.text) == (["s"], "chosen")
    assert more.payload["interaction_metadata"]["interacted_message_id"] == str(card.id)
    view.stop()


async def test_a_subcommand_is_typed_like_any_other(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    answer = await fake_discord.answer_to(await fake_discord.slash("admin limits"))
    assert answer.text == "20 a day"


async def test_a_user_can_attach_a_file_from_disk(
    fake_discord: FakeDiscord, bot: Bot, tmp_path: Path
) -> None:
    got: list[bytes] = []

    async def read(interaction: discord.Interaction, audio: discord.Attachment | None) -> None:
        assert audio is not None
        got.append(await audio.read())
        await interaction.response.send_message("thanks")

    bot.script = read
    voice = tmp_path / "voice"
    voice.write_bytes(VOICE)
    audio = Upload(filename="voice.ogg", content=voice)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "x", "audio": audio}))
    assert got == [VOICE]


async def test_a_command_that_the_bot_does_not_offer_cannot_be_typed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    del bot
    for name, options, reason in [
        ("picture", {}, "no command picture; known: video, admin"),
        ("video", {}, "requires prompt"),
        ("video", {"prompt": "x", "size": "1"}, "no option size"),
        ("video", {"prompt": "x", "audio": "text"}, "does not accept this as audio"),
        ("video now", {}, "no subcommand now"),
    ]:
        with pytest.raises(FakeDiscordError, match=reason):
            await fake_discord.slash(name, options)


async def test_choices_are_offered_while_a_user_types_an_option(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    @bot.tree.command(description="Find a clip")
    async def find(interaction: discord.Interaction, name: str, size: str = "") -> None:
        raise NotImplementedError

    @find.autocomplete("name")
    async def offer(
        _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=typed * 2, value=typed)] if typed else []

    await bot.tree.sync()
    assert await fake_discord.complete("find", "name", "ra") == [{"name": "rara", "value": "ra"}]
    assert await fake_discord.complete("find", "name", "") == []
    for option, reason in [("size", "has no autocomplete for size"), ("sort", "no option sort")]:
        with pytest.raises(FakeDiscordError, match=reason):
            await fake_discord.complete("find", option, "ra")


async def test_an_autocomplete_can_only_be_answered_with_choices(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    refused: asyncio.Queue[int] = asyncio.Queue()

    @bot.tree.command(description="Find a clip")
    async def find(interaction: discord.Interaction, name: str) -> None:
        raise NotImplementedError

    @find.autocomplete("name")
    async def offer(
        interaction: discord.Interaction, _typed: str
    ) -> list[app_commands.Choice[str]]:
        with pytest.raises(discord.HTTPException) as error:
            await interaction.response.send_message("no choice")
        refused.put_nowait(error.value.code)
        return []

    await bot.tree.sync()
    assert await fake_discord.complete("find", "name", "x") == []
    assert await refused.get() == 50035


async def test_a_command_is_chosen_from_a_messages_menu(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    @bot.tree.context_menu(name="Count letters")
    async def count(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.id}: {len(message.content)}")

    await bot.tree.sync()
    said = fake_discord.say("rain")
    answer = await fake_discord.answer_to(await fake_discord.choose("Count letters", said))
    assert answer.text == f"{said.id}: 4"
    with pytest.raises(FakeDiscordError, match="no message command video; known: Count letters"):
        await fake_discord.choose("video", said)


async def test_without_a_bot_nothing_can_be_typed(fake_discord: FakeDiscord) -> None:
    fake_discord.world.sync([{"name": "video", "description": "x"}])
    with pytest.raises(FakeDiscordError, match="no bot has logged in"):
        await fake_discord.slash("video")
