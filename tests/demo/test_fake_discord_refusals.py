"""The stand-in for Discord refuses requests that Discord would refuse."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest

from bot.demo.fake_discord.server import FakeDiscord
from tests.support.schemas.discord_spec import check
from tests.support.scripted_bot import CLIP, Bot, Card, Clock, failure

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_file_over_the_limit_is_refused_and_changes_nothing(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def too_much(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        clip = discord.File(io.BytesIO(bytes(3_000_000)), "a.mp4")
        await interaction.edit_original_response(view=Card("x", clip="a.mp4"), attachments=[clip])

    bot.script = too_much
    fake_discord.limits.upload_bytes = 1_000_000
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (413, 40005)
    assert fake_discord.history.messages[0].text == "queued"


async def test_a_second_callback_is_refused(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def twice(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("one")
        interaction.response._response_type = None  # noqa: SLF001 - the library prevents it
        await interaction.response.send_message("two")

    bot.script = twice
    assert (await failure(fake_discord, bot)).code == 40060


async def test_a_late_callback_is_refused(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    async def late(interaction: discord.Interaction, _audio: object) -> None:
        clock.ahead = 3.5
        await interaction.response.send_message("late")

    bot.script = late
    error = await failure(fake_discord, bot)
    assert (error.status, error.code) == (404, 10062)


async def test_channels_enforce_the_bots_permissions(fake_discord: FakeDiscord, bot: Bot) -> None:
    world, said = fake_discord.world, fake_discord.say("hi")
    gone = world.add_channel(world.guild)
    world.remove_channel(gone)
    foreign = world.add_channel(world.add_guild("Elsewhere", installed=False))
    here = bot.get_partial_messageable(world.channel.id)
    mine = await here.send("mine")

    with pytest.raises(discord.NotFound, match="10003"):
        await bot.get_partial_messageable(gone.id).send("x")
    with pytest.raises(discord.Forbidden, match="50001"):
        await bot.get_partial_messageable(foreign.id).send("x")
    with pytest.raises(discord.Forbidden, match="50005"):
        await here.get_partial_message(said.id).edit(content="x")
    assert [message.content async for message in here.history(limit=10)] == ["mine", "hi"]
    assert (await here.fetch_message(mine.id)).content == "mine"
    await mine.delete()
    with pytest.raises(discord.NotFound, match="10008"):
        await mine.edit(content="x")
    assert fake_discord.history.messages[-1].deleted


async def test_an_ephemeral_answer_is_hidden_from_its_channel(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def whisper(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("psst", ephemeral=True)
        message = await interaction.original_response()
        await bot.get_partial_messageable(message.channel.id).fetch_message(message.id)

    bot.script = whisper
    assert (await failure(fake_discord, bot)).code == 10008


@pytest.mark.parametrize(
    "body",
    [
        {"content": "text", "components": [{"type": 10, "content": "x"}], "flags": 1 << 15},
        {"components": [{"type": 10, "content": "x"}]},
        {"components": [{"type": 1, "components": []}] * 6},
        {"components": [{"type": 10, "content": "x"}] * 41, "flags": 1 << 15},
        {"components": [{"type": 13, "file": {"url": "attachment://no.mp4"}}], "flags": 1 << 15},
        {"content": "x" * 2001},
        {"embeds": [{"description": "x" * 4000, "footer": {"text": "y" * 2001}}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 6000}]}]},
        {"components": [{"type": 1, "components": [{"type": 2, "custom_id": "a"}] * 2}]},
        {"content": "x", "attachments": [{"id": "7"}]},
        {"content": ""},
        "not an object",
    ],
)
async def test_a_message_that_discord_would_refuse_is_refused(tmp_path: Path, body: object) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        url = f"{fake_discord.url}/channels/{fake_discord.world.channel.id}/messages"
        async with session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["code"] in {50035, 50006}
        assert not fake_discord.history.messages


async def test_the_v2_flag_cannot_be_cleared_and_excludes_text(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def change(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("text")
        await interaction.edit_original_response(content=None, view=Card("card"))
        await interaction.edit_original_response(content="text again")

    bot.script = change
    assert (await failure(fake_discord, bot)).code == 50035
    assert fake_discord.history.messages[0].text == "card"


async def test_requests_without_the_token_are_refused(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        for path, status in [("/users/@me", 401), ("/gateway", 200), ("/nowhere", 404)]:
            async with session.get(f"{fake_discord.url}{path}") as answer:
                assert answer.status == status
        async with session.post(f"{fake_discord.url}/users/@me/channels", data=b"{") as answer:
            assert (await answer.json())["code"] == 50109
        for frame, code in [("{", 4002), ('{"op": 3}', 4003), ('{"op": 2, "d": {}}', 4004)]:
            async with session.ws_connect(fake_discord.gateway_url) as socket:
                assert (await socket.receive_json())["op"] == 10
                await socket.send_str(frame)
                assert (await socket.receive()).data == code


async def test_addresses_of_unknown_resources_are_refused(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        application = fake_discord.world.application_id
        asked: list[tuple[str, str, object, int]] = [
            ("GET", f"/applications/{application}/commands", None, 200),
            ("GET", "/applications/1/commands", None, 404),
            ("POST", "/users/@me/channels", {"recipient_id": "1"}, 404),
            ("POST", "/users/@me/channels", {"recipient_id": "me"}, 400),
            ("GET", "/channels/here/messages", None, 400),
            ("GET", "/channels/1/messages", None, 404),
            ("POST", "/interactions/1/token/callback", {"type": 4}, 404),
            ("GET", f"/webhooks/{application}/token/messages/@original", None, 404),
        ]
        for method, path, body, status in asked:
            call = session.request(method, fake_discord.url + path, json=body, headers=headers)
            async with call as answer:
                assert (path, answer.status) == (path, status)


@pytest.mark.parametrize(
    "callback",
    [
        {"type": 6},
        {"type": 7, "data": {"content": "no message to change"}},
        {"type": 8, "data": {"choices": []}},
    ],
)
async def test_an_answer_that_does_not_fit_its_interaction_is_refused(
    fake_discord: FakeDiscord, bot: Bot, callback: dict[str, Any]
) -> None:
    codes: asyncio.Queue[int] = asyncio.Queue()

    async def misfit(interaction: discord.Interaction, _audio: object) -> None:
        url = f"{fake_discord.url}/interactions/{interaction.id}/{interaction.token}/callback"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=callback) as answer,
        ):
            codes.put_nowait((await answer.json())["code"])

    bot.script = misfit
    await fake_discord.slash("video", {"prompt": "rain"})
    assert await asyncio.wait_for(codes.get(), 10) == 50035


@pytest.mark.parametrize(
    ("name", "size", "status"),
    [("payload_json", 1, 400), ("payload_json", 1_100_000, 413), ("file", 1, 400)],
)
async def test_a_multipart_body_that_cannot_be_parsed_is_refused(
    tmp_path: Path, name: str, size: int, status: int
) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        url = f"{fake_discord.url}/channels/{fake_discord.world.channel.id}/messages"
        form = aiohttp.FormData()
        form.add_field(name, io.BytesIO(b"{" * size), filename="a")
        async with session.post(url, data=form, headers=headers) as answer:
            assert answer.status == status


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"template": "/nowhere"}, "Discord has no POST /nowhere"),
        ({"path": "/channels/here/messages"}, "channel_id"),
        ({"path": "/channels"}, "does not match /channels"),
        ({"query": {"wait": "1"}}, "has no parameter"),
        ({"json": {"content": 5}}, "content"),
        ({"json": None}, "needs a body"),
        ({"json": {"attachments": [{"id": 0}, {"id": 1}]}}, "are not the files"),
        ({"method": "GET"}, "allows no body"),
        ({"method": "GET", "json": None, "query": {"limit": "many"}}, "limit=many"),
        ({"method": "GET", "json": None, "query": {"limit": "101"}}, "limit=101"),
        ({"status": 201}, "not answered with 201"),
    ],
)
async def test_a_request_that_discord_does_not_allow_is_reported(
    fake_discord: FakeDiscord, bot: Bot, change: dict[str, Any], complaint: str
) -> None:
    await bot.get_partial_messageable(fake_discord.world.channel.id).send(
        "clip", file=discord.File(io.BytesIO(CLIP), "a.mp4")
    )
    good = fake_discord.history.requests[-1]
    check(good)
    with pytest.raises(AssertionError, match=complaint):
        check(dataclasses.replace(good, **change))
