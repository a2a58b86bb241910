"""The stand-in for Discord carries commands to the bot, and shows its answers."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.state.components import text_of
from bot.demo.fake_discord.uploads import Upload
from tests.support.scripted_bot import CLIP, VOICE, Bot, Card, Clock, failure

if TYPE_CHECKING:
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message


async def test_a_command_is_synced_and_answered(fake_discord: FakeDiscord, bot: Bot) -> None:
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    card = await fake_discord.answer_to(asked)

    assert [command["name"] for command in fake_discord.world.commands] == ["video", "admin"]
    assert card.text == "working"
    assert card.payload["interaction_metadata"]["user"]["id"] == str(fake_discord.world.user.id)
    assert bot.user is not None
    assert bot.user.id == card.author.id


async def test_an_interaction_describes_its_user_and_channel(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    seen: list[discord.Interaction] = []

    async def look(interaction: discord.Interaction, _audio: object) -> None:
        seen.append(interaction)
        await interaction.response.send_message("ok")

    bot.script = look
    fake_discord.limits.announced_bytes = 12345
    strangers = fake_discord.world.add_guild("Elsewhere", locale="fr", installed=False)
    reader = fake_discord.world.add_user("grace", locale="de")
    places = [
        fake_discord.world.channel,
        fake_discord.world.dm(reader),
        fake_discord.world.add_group(reader, fake_discord.world.user),
        fake_discord.world.add_channel(strangers),
    ]
    for place in places:
        await fake_discord.answer_to(
            await fake_discord.slash("video", {"prompt": "rain"}, user=reader, where=place)
        )

    guild, dm, group, foreign = seen
    assert {interaction.filesize_limit for interaction in seen} == {12345}
    assert {interaction.locale for interaction in seen} == {discord.Locale.german}
    assert {interaction.user.id for interaction in seen} == {reader.id}
    assert [i.is_guild_integration() for i in seen] == [True, False, False, False]
    assert guild.guild_locale is discord.Locale.american_english
    assert foreign.guild_locale is discord.Locale.french
    assert dm.context.dm_channel
    assert group.context.private_channel
    assert guild.app_permissions.attach_files


async def test_an_attachment_can_be_downloaded_until_its_link_expires(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    got: list[bytes] = []

    async def read(_interaction: discord.Interaction, audio: discord.Attachment | None) -> None:
        assert audio is not None
        assert (audio.filename, audio.content_type) == ("my_voice.wav", "audio/x-claim")
        got.append(await audio.read())
        clock.ahead += 90_000
        await audio.read()

    bot.script = read
    audio = Upload(filename="my voice.wav", content=VOICE, content_type="audio/x-claim")
    await fake_discord.slash("video", {"prompt": "rain", "audio": audio})
    error = await asyncio.wait_for(bot.errors.get(), 10)

    assert got == [VOICE]
    assert isinstance(error, discord.NotFound)
    assert len(fake_discord.history.downloads) == 2


async def test_edits_add_a_clip_to_the_same_message(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def make(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        await interaction.edit_original_response(view=Card("50 %"))
        clip = discord.File(io.BytesIO(CLIP), "rain.mp4")
        sent = await interaction.edit_original_response(
            view=Card("done", clip="rain.mp4"), attachments=[clip]
        )
        assert sent.attachments[0].size == len(CLIP)
        again = await sent.edit(view=Card("still there"), attachments=sent.attachments)
        assert len(again.attachments) == 1

    bot.script = make
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    card = await fake_discord.answer_to(asked)
    await fake_discord.wait_for(lambda: card.text == "still there")

    said = [text_of(version.payload) for version in card.versions]
    assert said == ["queued", "50 %", "done", "still there"]
    assert fake_discord.history.messages == [card]
    assert card.files[0].path.read_bytes() == CLIP
    assert card.files[0].sha256 == hashlib.sha256(CLIP).hexdigest()
    gallery = card.versions[2].payload["components"][0]["components"][1]
    assert gallery["items"][0]["media"]["url"] == card.payload["attachments"][0]["url"]


async def test_a_card_with_an_expired_token_is_edited_with_the_bots_token(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    async def late(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        message = await interaction.original_response()
        clock.ahead = 901
        await (
            bot.get_partial_messageable(message.channel.id)
            .get_partial_message(message.id)
            .edit(
                view=Card("late", clip="a.mp4"),
                attachments=[discord.File(io.BytesIO(CLIP), "a.mp4")],
            )
        )
        await interaction.edit_original_response(view=Card("never"))

    bot.script = late
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (401, 50027)
    assert fake_discord.history.messages[0].text == "late"


async def test_a_follow_up_replaces_a_deferred_answer(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def think(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.defer(ephemeral=True)
        first = await interaction.followup.send("thought", wait=True)
        await interaction.followup.send("and more")
        await interaction.followup.edit_message(first.id, content="thought hard")

    bot.script = think
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    answer = await fake_discord.answer_to(asked)
    await fake_discord.wait_for(lambda: answer.text == "thought hard")

    assert answer.ephemeral
    assert [message.text for message in asked.followups] == ["and more"]


async def test_a_dm_is_sent_once_and_refused_after_dms_are_closed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def write(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.user.send("your video", nonce="job-1")
        await interaction.user.send("your video", nonce="job-1")
        fake_discord.close_dms()
        await interaction.user.send("again")

    bot.script = write
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (403, 50007)
    assert [message.text for message in fake_discord.dms()] == ["your video"]


async def test_an_answer_can_be_deleted(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def take_back(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("oops")
        await interaction.delete_original_response()
        await interaction.original_response()

    bot.script = take_back
    assert (await failure(fake_discord, bot)).code == 10008
    assert fake_discord.history.messages[0].deleted


async def test_files_are_kept_added_and_dropped_by_an_edit(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    def file(name: str) -> discord.File:
        return discord.File(io.BytesIO(CLIP), name, description="a clip")

    async def change(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("files", file=file("a.mp4"))
        message = await interaction.original_response()
        message = await message.add_files(file("b.mp4"))
        await message.remove_attachments(message.attachments[0])
        await message.edit(attachments=[])

    bot.script = change
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    await fake_discord.wait_for(lambda: len(card.versions) == 4)

    names = [[a["filename"] for a in version.payload["attachments"]] for version in card.versions]
    assert names == [["a.mp4"], ["a.mp4", "b.mp4"], ["b.mp4"], []]


async def test_a_file_component_shows_the_attachment_that_it_names(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def show(interaction: discord.Interaction, _audio: object) -> None:
        view = ui.LayoutView()
        view.add_item(ui.File("attachment://notes.txt"))
        await interaction.response.send_message(
            view=view, file=discord.File(io.BytesIO(b"notes"), "notes.txt")
        )
        view.stop()

    bot.script = show
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    (shown,) = card.components
    assert shown["file"]["url"] == card.payload["attachments"][0]["url"]
    assert (shown["name"], shown["size"]) == ("notes.txt", 5)


async def test_a_nonce_is_enforced_for_a_few_minutes(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    here = bot.get_partial_messageable(fake_discord.world.channel.id)
    first = await here.send("x", nonce="n")
    clock.ahead = 301
    assert (await here.send("x", nonce="n")).id != first.id


async def test_each_change_of_a_message_is_reported(tmp_path: Path) -> None:
    seen: list[str] = []

    def see(message: Message) -> None:
        seen.append("deleted" if message.deleted else message.text)

    async with FakeDiscord(tmp_path, on_message=see) as fake_discord:
        message = fake_discord.say("one")
        fake_discord.messages.edit(message, {"content": "two"})
        fake_discord.messages.delete(message)

    assert seen == ["one", "two", "deleted"]
