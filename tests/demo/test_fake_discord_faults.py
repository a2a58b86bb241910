"""The stand-in for Discord limits, loses, delays and breaks what it is told to."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import aiohttp
import discord
import pytest

from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import RefusedError
from bot.demo.fake_discord.gateway.connection import MAX_SESSIONS
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.rest.rate_limits import RateLimits
from bot.demo.fake_discord.server import FakeDiscord
from tests.support.scripted_bot import Bot, Card, Clock, failure

if TYPE_CHECKING:
    from pathlib import Path


DONE = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original"


async def test_a_rate_limit_is_honoured_by_discord_py(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.faults.add("POST /interactions/*", api_errors.rate_limited(0.01), times=2)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))

    called = fake_discord.history.operations("callback")
    assert [recorded.status for recorded in called] == [429, 429, 200]
    assert bot.errors.empty()


async def test_the_announced_rate_limits_are_enforced(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.rates.enforced = True
    webhook = f"{fake_discord.url}/webhooks/1/token/messages/1"
    async with aiohttp.ClientSession() as http:
        answers: list[tuple[int, str]] = []
        for _ in range(6):
            async with http.patch(webhook, json={}) as answer:
                answers.append((answer.status, answer.headers["X-RateLimit-Remaining"]))
                waits = float(answer.headers["X-RateLimit-Reset-After"])
        # Another token has another bucket.
        async with http.patch(webhook.replace("token", "other"), json={}) as answer:
            assert answer.status == 404
    assert answers == [(404, str(left)) for left in (4, 3, 2, 1, 0)] + [(429, "0")]
    assert 0 < waits <= 5
    assert bot.errors.empty()


async def test_requests_with_the_bots_token_share_a_global_limit(clock: Clock) -> None:
    rates = RateLimits(clock)
    rates.enforced = True
    for number in range(50):
        rates.acquire("GET", f"/channels/{number}/messages")
    rates.acquire("POST", "/interactions/1/token/callback")
    with pytest.raises(RefusedError):
        rates.acquire("GET", "/users/@me")
    clock.ahead += 1
    rates.acquire("GET", "/users/@me")


async def test_a_bot_that_is_asked_to_reconnect_resumes(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    del bot
    fake_discord.gateway.ask_to_reconnect()
    await fake_discord.wait_for(lambda: fake_discord.gateway.resumed)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))


async def test_the_oldest_of_many_sessions_is_forgotten(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        first = ""
        for _ in range(MAX_SESSIONS + 1):
            async with session.ws_connect(fake_discord.gateway_url) as socket:
                await socket.receive_json()
                await socket.send_json({"op": 2, "d": {"token": fake_discord.token}})
                ready = await socket.receive_json()
                first = first or ready["d"]["session_id"]
        async with session.ws_connect(fake_discord.gateway_url) as socket:
            await socket.receive_json()
            resume = {"token": fake_discord.token, "session_id": first, "seq": 1}
            await socket.send_json({"op": 6, "d": resume})
            assert await socket.receive_json() == {"op": 9, "d": False}


async def test_an_interrupted_upload_is_recorded_without_an_answer(
    fake_discord: FakeDiscord,
) -> None:
    host, port = fake_discord.url.removeprefix("http://").split("/")[0].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/v10/users/@me/channels HTTP/1.1\r\nHost: x\r\n")
    writer.write(b"Content-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    (recorded,) = await fake_discord.wait_for(lambda: fake_discord.history.requests)

    assert (recorded.operation, recorded.status) == ("POST /users/@me/channels", 0)


async def test_events_during_a_gateway_outage_are_replayed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async with fake_discord.gateway.away():
        asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.answer_to(asked)

    assert bot.errors.empty()
    assert (fake_discord.gateway.identified, fake_discord.gateway.resumed) == (1, 1)


async def test_a_forgotten_session_is_replaced_by_a_new_one(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async with fake_discord.gateway.away():
        fake_discord.gateway.forget_sessions()
    await fake_discord.wait_for(lambda: fake_discord.gateway.identified == 2)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))

    assert bot.errors.empty()


async def test_a_cut_upload_reaches_the_bot_as_a_reset(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def upload(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        for attempt in range(2):
            clip = discord.File(io.BytesIO(bytes(5_000_000)), "a.mp4")
            card = Card("done", clip="a.mp4")
            try:
                await interaction.edit_original_response(view=card, attachments=[clip])
            except (aiohttp.ClientError, OSError) as error:
                assert attempt == 0
                bot.errors.put_nowait(error)

    bot.script = upload
    fake_discord.faults.add("PATCH *@original", faults.Cut(1_000_000))
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    await fake_discord.wait_for(lambda: card.files)

    assert isinstance(bot.errors.get_nowait(), OSError)
    assert [r.status for r in fake_discord.history.requests if r.operation == DONE] == [0, 200]


async def test_a_request_whose_answer_is_lost_is_carried_out(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    fake_discord.faults.add("POST /interactions/*", faults.LoseAnswer())
    await fake_discord.slash("video", {"prompt": "rain"})
    error = await asyncio.wait_for(bot.errors.get(), 10)

    assert isinstance(error, aiohttp.ClientError)
    assert [message.text for message in fake_discord.history.messages] == ["working"]


async def test_a_delayed_answer_is_sent_when_it_is_released(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    slow = faults.Hold()
    fake_discord.faults.add("POST /interactions/*", slow)
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await slow.reached.wait()

    assert asked.message is not None
    assert not fake_discord.history.operations("callback")
    slow.release.set()
    await fake_discord.wait_for(lambda: fake_discord.history.operations("callback"))
    assert bot.errors.empty()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (api_errors.MISSING_ACCESS, 403),
        (api_errors.UNKNOWN_MESSAGE, 404),
        (api_errors.server_error(503), 503),
    ],
)
async def test_a_refusal_from_the_table_reaches_the_bot(
    fake_discord: FakeDiscord, bot: Bot, refusal: api_errors.Refusal, status: int
) -> None:
    async def post(interaction: discord.Interaction, _audio: object) -> None:
        await bot.get_partial_messageable(interaction.channel_id or 0).send("hello")

    bot.script = post
    fake_discord.faults.add("POST /channels/*", refusal)
    assert (await failure(fake_discord, bot)).status == status


async def test_a_timeout_names_the_last_requests(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    with pytest.raises(TimeoutError, match=r"PUT /applications/\{application_id\}/commands 200"):
        await fake_discord.wait_for(lambda: None, within=0.01)


async def test_faults_can_be_removed(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.close_dms()
    fake_discord.faults.clear()
    dm = await bot.create_dm(discord.Object(fake_discord.world.user.id))
    await dm.send("hello")
    assert [message.text for message in fake_discord.dms()] == ["hello"]
