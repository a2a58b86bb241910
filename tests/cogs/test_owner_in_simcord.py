"""`/clapper-owner` in SimCord: every command by the owner, a manager, a member and a stranger.

SimCord computes who sees a command from roles, and applies a server's own rules for commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.discord_bot.bot import VideoBot
from bot.discord_bot.owner.command_sync import OWNER_GROUP
from storage.ledger.budgets import Budgets
from tests.support.desk import make_services
from tests.support.fakes.bench import open_bench
from tests.support.owner_commands import owner_commands

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import simcord

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

PRICE = 1_000_000
NOT_THE_OWNER = "Only this bot's owner"
# Each command answers the owner with one of these words.
DONE = ("Spending in", "every server", "newest changes", "can spend", "Delete all videos")


@pytest.fixture
async def bench(tmp_path: Path, clock: Clock) -> AsyncGenerator[Bench]:
    budgets = Budgets(per_user_month=2 * PRICE)
    async with open_bench(tmp_path, clock, price=PRICE, budgets=budgets) as opened:
        yield opened


@pytest.fixture
def simcord_bot(bench: Bench, clock: Clock) -> VideoBot:
    return VideoBot(make_services(bench, clock))


async def offer_group(
    env: simcord.Env, bench: Bench, clock: Clock, *guilds: simcord.GuildHandle
) -> None:
    """Restart the bot with the first server as the owner's, and register the group in all of them.

    SimCord has no route that adds a single command, so the bot's own request is refused.
    """
    home = guilds[0].id
    bot = VideoBot(make_services(bench, clock, owner_servers=frozenset({home})))
    await env.restart_bot(bot)
    group = bot.tree.get_command(OWNER_GROUP, guild=discord.Object(home))
    assert group is not None
    definition = group.to_dict(bot.tree)
    # A server's rule shows the group to everyone, so that the bot itself has to refuse them.
    for guild in guilds:
        [command] = await bot.http.bulk_upsert_guild_commands(
            env.backend.application_id, guild.id, [definition]
        )
        shown = [{"id": str(guild.id), "type": 1, "permission": True}]
        env.backend.set_command_permissions(guild.id, int(command["id"]), shown)


def give_application_to(
    env: simcord.Env, person: simcord.MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make a person the application's owner. In SimCord, that is the bot itself."""
    http = env.bot.http
    read = http.application_info

    async def application_info() -> Any:
        owner = {"id": str(person.id), "username": "founder", "discriminator": "0", "avatar": None}
        return {**await read(), "owner": owner}

    monkeypatch.setattr(http, "application_info", application_info)


def each_command(
    person: simcord.MemberActor, channel: simcord.ChannelHandle
) -> dict[str, dict[str, Any]]:
    """Return every command of the group, with options."""
    return owner_commands(
        person=person, server=str(channel.guild.id), channel_id=channel.id, log_channel=channel
    )


async def test_only_the_owner_uses_the_group_even_if_a_server_shows_it_to_everyone(
    simcord_env: simcord.Env, bench: Bench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, guild, other = simcord_env, simcord_env.create_guild(), simcord_env.create_guild()
    channel, elsewhere = guild.create_text_channel("general"), other.create_text_channel("general")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    founder = env.create_user("ada")
    owner, owner_elsewhere = guild.add_member(founder), other.add_member(founder)
    manager = guild.add_member(env.create_user("mary"), roles=[managers])
    member = guild.add_member(env.create_user("grace"))
    stranger = other.add_member(env.create_user("joan"))
    await offer_group(env, bench, clock, guild, other)
    give_application_to(env, owner, monkeypatch)

    commands = each_command(member, channel)
    names = {f"{OWNER_GROUP} {command}" for command in commands}
    shown = owner.available_commands(channel)
    assert {name for name in shown if name.startswith(OWNER_GROUP)} == names
    for command, options in commands.items():
        name = f"{OWNER_GROUP} {command}"
        for person in (manager, member):
            assert NOT_THE_OWNER in text_of(await person.slash(channel, name, **options)), command
    for command, options in each_command(stranger, elsewhere).items():
        name = f"{OWNER_GROUP} {command}"
        for person in (stranger, owner_elsewhere):
            refused = text_of(await person.slash(elsewhere, name, **options))
            assert "no longer offered" in refused, command
    kinds = {getattr(error, "original", type(error).__name__) for error in env.errors}
    assert {str(kind) for kind in kinds} == {"owner.not_an_owner", "CommandNotFound"}
    for table in ("access_settings", "access_audit", "ledger"):
        assert await bench.count_rows(table) == 0
    for command, options in commands.items():
        answer = text_of(await owner.slash(channel, f"{OWNER_GROUP} {command}", **options))
        assert any(words in answer for words in DONE), command


def text_of(result: simcord.InteractionResult) -> str:
    """Return the text of an answer that only the person sees."""
    assert result.ephemeral
    message = result.response or result.followups[0]
    return message.content or str(message.components)
