"""Names of servers and people are asked of Discord, and a page without them is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.demo.fake_discord.api_errors import MISSING_ACCESS
from bot.discord_bot.names import DiscordNames
from tests.support.desk import open_desk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
USER = "/users/{user_id}"


async def test_a_name_is_asked_for_once_and_an_unknown_one_is_none(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        world = desk.fake_discord.world
        names = DiscordNames(desk.bot)
        person = world.add_user("wilhelmina")
        assert await names.server(1) is None
        for _ in range(2):
            assert await names.person(person.id) == "Wilhelmina"
        assert len(desk.made(f"GET {USER}")) == 1
        assert await names.person(12345678901234567) is None


async def test_a_name_that_discord_does_not_tell_now_is_asked_for_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        names = DiscordNames(desk.bot)
        person = desk.fake_discord.world.add_user("wilhelmina")
        desk.fake_discord.faults.add("GET /users/*", MISSING_ACCESS)
        assert await names.person(person.id) is None
        assert await names.person(person.id) == "Wilhelmina"
