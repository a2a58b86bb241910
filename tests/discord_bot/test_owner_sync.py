"""The owner's commands are in the servers of OWNER_SERVERS, and are removed from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import pytest

from bot.commands.checks.discord_account import examine_account
from bot.demo.fake_discord.server import FakeDiscord
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.login import log_in
from bot.discord_bot.owner.command_sync import OWNER_GROUP
from bot.moderation.access.place import Reach
from tests.support.desk import make_services, open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.guild import Guild
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncGenerator[FakeDiscord]:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as opened:
        yield opened
        check_all(opened.history.requests)


async def start(fake: FakeDiscord, bench: Bench, clock: Clock, *servers: int) -> VideoBot:
    """Start a bot with these servers in the setting, and stop it."""
    services = make_services(bench, clock, owner_servers=frozenset(servers))
    async with VideoBot(services) as bot:
        await log_in(bot, fake.token, api_url=fake.url)
    return bot


def offered(fake: FakeDiscord, guild: Guild) -> list[str]:
    return [command["name"] for command in fake.world.guild_commands.list(guild.id)]


def sent(fake: FakeDiscord) -> list[str]:
    changes = (f"POST {COMMANDS}", f"DELETE {COMMANDS}/{{command_id}}")
    return [each.method for each in fake.history.requests if each.operation in changes]


async def test_they_are_sent_once_and_removed_from_a_server_that_leaves_the_setting(
    fake: FakeDiscord, bench: Bench, clock: Clock
) -> None:
    first, second = fake.world.guild, fake.world.add_guild("Second")
    another = {"name": "another", "type": 1, "description": "A command of another program"}
    fake.world.guild_commands.put(first.id, another)
    await start(fake, bench, clock, first.id, second.id)
    await start(fake, bench, clock, second.id, first.id)
    assert (offered(fake, first), offered(fake, second)) == (
        ["another", OWNER_GROUP],
        [OWNER_GROUP],
    )
    assert sent(fake) == ["POST", "POST"]
    await start(fake, bench, clock, second.id)
    assert (offered(fake, first), offered(fake, second)) == (["another"], [OWNER_GROUP])
    await start(fake, bench, clock)
    assert offered(fake, second) == []
    requests = len(fake.history.requests)
    await start(fake, bench, clock)
    assert sent(fake) == ["POST", "POST", "DELETE", "DELETE"]
    assert not [each for each in fake.history.requests[requests:] if each.template == COMMANDS]


async def test_a_server_without_the_bot_is_a_warning_and_the_others_get_the_commands(
    fake: FakeDiscord, bench: Bench, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = fake.world.add_guild("Foreign", installed=False)
    await start(fake, bench, clock, 5, foreign.id, fake.world.guild.id)
    assert offered(fake, fake.world.guild) == [OWNER_GROUP]
    for server_id in (5, foreign.id):
        assert f"owner.no_server server={server_id}" in caplog.text


async def test_a_server_that_has_removed_the_bot_is_looked_at_again_when_it_is_back(
    fake: FakeDiscord, bench: Bench, clock: Clock
) -> None:
    guild = fake.world.guild
    await start(fake, bench, clock, guild.id)
    fake.world.guilds.remove(guild)
    await start(fake, bench, clock)
    assert offered(fake, guild) == [OWNER_GROUP]
    fake.world.guilds.append(guild)
    await start(fake, bench, clock)
    assert offered(fake, guild) == []


async def test_a_server_that_invites_the_bot_again_gets_the_commands_then(tmp_path: Path) -> None:
    async with open_desk(tmp_path, has_owner_commands=True) as desk:
        fake, guild = desk.fake_discord, desk.fake_discord.world.guild
        [command] = fake.world.guild_commands.list(guild.id)
        fake.world.guild_commands.delete(guild.id, int(command["id"]))
        desk.bot.dispatch("guild_join", discord.Object(guild.id))
        await fake.wait_for(lambda: offered(fake, guild) == [OWNER_GROUP])


async def test_doctor_names_a_server_of_the_setting_that_the_bot_is_not_in(
    fake: FakeDiscord,
) -> None:
    servers = {5, fake.world.guild.id}
    _, found = await examine_account(fake.token, fake.url, Reach(), owner_servers=servers)
    assert (found.ok, "not in the server 5 of OWNER_SERVERS" in found.found) == (False, True)
    assert str(fake.world.guild.id) not in found.found
    servers.remove(5)
    _, found = await examine_account(fake.token, fake.url, Reach(), owner_servers=servers)
    assert found.ok
