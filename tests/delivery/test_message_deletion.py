"""The deletion of the bot's messages, as the operator's take-down does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.delivery.requests.bot_requests import BotRequests
from bot.delivery.requests.message_deletion import MessageDeletion
from bot.demo.fake_discord import api_errors
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.api_errors import Refusal
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
DELETE = "DELETE /channels/*"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def delete(desk: Desk, message_id: int) -> bool:
    async def sleep(seconds: float) -> None:
        desk.clock.advance(seconds)

    deletion = MessageDeletion(BotRequests(desk.bot, desk.requests), sleep=sleep)
    return await deletion.delete(desk.fake_discord.world.channel.id, message_id)


async def test_a_message_is_deleted_once_and_a_deleted_one_counts_as_deleted(desk: Desk) -> None:
    _, message = await desk.video()
    assert await delete(desk, message.id)
    assert message.deleted
    assert await delete(desk, message.id)


async def test_the_deletion_waits_as_long_as_discord_asks(desk: Desk) -> None:
    _, message = await desk.video()
    before = desk.clock()
    desk.fake_discord.faults.add(DELETE, api_errors.rate_limited(7), times=2)
    assert await delete(desk, message.id)
    assert message.deleted
    assert desk.clock() - before >= 14


@pytest.mark.parametrize("refusal", [api_errors.MISSING_ACCESS, api_errors.server_error()])
async def test_a_message_that_discord_keeps_is_reported(desk: Desk, refusal: Refusal) -> None:
    _, message = await desk.video()
    desk.fake_discord.faults.add(DELETE, refusal, times=None)
    assert not await delete(desk, message.id)
    assert not message.deleted


async def test_a_route_that_stays_closed_is_given_up_after_five_attempts(desk: Desk) -> None:
    _, message = await desk.video()
    desk.fake_discord.faults.add(DELETE, api_errors.rate_limited(7), times=None)
    assert not await delete(desk, message.id)
    assert len(desk.made("DELETE /channels/{channel_id}/messages/{message_id}")) == 5
