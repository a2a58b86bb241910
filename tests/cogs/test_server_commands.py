"""`/clapper`: its commands by a manager, a member and a stranger, and what they change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.discord_bot.bot import VideoBot
from bot.model import JobState
from bot.moderation.access.place import Reach
from storage.access.settings import MAX_TARGETS, Change, Rule, Setting
from storage.people import Notify
from tests.support.desk import make_services, open_desk
from tests.support.form_steps import count
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import simcord

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from tests.support.desk import Desk
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
MANAGE_GUILD, ADMINISTRATOR, MANAGE_MESSAGES = 1 << 5, 1 << 3, 1 << 13


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, reach=Reach()) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
def manager(desk: Desk) -> User:
    world = desk.fake_discord.world
    person = world.add_user("mary")
    world.members.change(person, world.guild, permissions=MANAGE_GUILD)
    return person


async def typed(
    desk: Desk, command: str, user: User, where: Channel | None = None, **options: Any
) -> Message:
    asked = await desk.fake_discord.slash(f"clapper {command}", options, user=user, where=where)
    return await desk.fake_discord.answer_to(asked)


async def order(desk: Desk, user: User | None = None) -> Message:
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, user=user)
    return await desk.fake_discord.answer_to(asked)


def each_command(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return every command of the group, with options."""
    world = desk.fake_discord.world
    role = str(desk.fake_discord.add_role("Film"))
    return {
        "settings": {},
        "history": {},
        "channel": {"channel": str(world.channel.id), "rule": "allow"},
        "role": {"role": role, "rule": "deny"},
        "block": {"person": str(world.user.id)},
        "unblock": {"person": str(world.user.id)},
        "limit": {"videos": 3, "of": "server"},
        "age": {"restricted": True},
        "cards": {"language": "de"},
        "dms": {"when": "never"},
    }


def test_every_command_of_the_group_is_tried(desk: Desk) -> None:
    [group] = [each for each in desk.fake_discord.world.commands if each["name"] == "clapper"]
    assert {option["name"] for option in group["options"]} == each_command(desk).keys()
    assert group["default_member_permissions"] == MANAGE_GUILD
    assert (group["contexts"], group["integration_types"]) == ([0], [0])


async def test_a_manager_and_an_administrator_use_every_command(desk: Desk, manager: User) -> None:
    world = desk.fake_discord.world
    administrator = world.add_user("joan")
    world.members.change(administrator, world.guild, permissions=ADMINISTRATOR)
    for command, options in each_command(desk).items():
        for person in (manager, administrator):
            answer = await typed(desk, command, person, **options)
            assert answer.ephemeral
            assert "Manage Server" not in answer.text


async def test_others_may_use_none_of_the_commands(desk: Desk, manager: User) -> None:
    world = desk.fake_discord.world
    moderator, foreign = world.add_user("grace"), world.add_guild("Elsewhere", installed=False)
    world.members.change(moderator, world.guild, permissions=MANAGE_MESSAGES)
    world.members.change(manager, foreign, permissions=MANAGE_GUILD)
    places = [
        (world.user, None),  # the owner of the bot, who is an ordinary member here
        (moderator, None),
        (world.add_user("stranger"), None),
        (manager, world.dm(manager)),
        (manager, world.add_group(manager, world.user)),
        (manager, world.add_channel(foreign)),
    ]
    for command, options in each_command(desk).items():
        for person, where in places:
            answer = await typed(desk, command, person, where, **options)
            assert "Only people with the permission *Manage Server*" in answer.text
            assert answer.ephemeral
    for table in ("access_settings", "access_audit"):
        assert await desk.bench.database.rows(f"SELECT * FROM {table}", {}) == []  # noqa: S608 - a constant


async def test_a_refusal_is_in_the_language_of_the_person(desk: Desk) -> None:
    world = desk.fake_discord.world
    for locale, words in (("de", "Server verwalten"), ("ja", "サーバー管理")):
        answer = await typed(desk, "settings", world.add_user("ada", locale=locale))
        assert words in answer.text


async def test_a_manager_of_one_server_changes_nothing_in_another(
    desk: Desk, manager: User
) -> None:
    world = desk.fake_discord.world
    await typed(desk, "block", manager, person=str(world.user.id))
    other = world.add_channel(world.add_guild("Another"))
    assert "Only people" in (await typed(desk, "settings", manager, other)).text
    assert "blocked your requests" in (await order(desk)).text
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, where=other)
    assert not (await desk.fake_discord.answer_to(asked)).ephemeral


async def test_a_change_holds_for_the_next_order_and_after_a_restart(
    desk: Desk, manager: User
) -> None:
    world = desk.fake_discord.world
    assert not (await order(desk)).ephemeral
    answer = await typed(desk, "channel", manager, channel=str(world.channel.id), rule="deny")
    assert answer.text.splitlines() == [
        "Saved. The change applies from the next request on.",
        "**Who may request videos in this server**",
        f"- Not in these channels: <#{world.channel.id}>",
        "-# These settings can restrict what my operator allows, but not extend it.",
    ]
    before = await count(desk)
    assert "requests in this channel" in (await order(desk)).text
    assert (await count(desk), desk.bench.backend.posts) == (before, 0)
    again = await typed(desk, "channel", manager, channel=str(world.channel.id), rule="deny")
    assert again.text.startswith("Nothing changed: that setting was already in effect.")
    cleared = await typed(desk, "channel", manager, channel=str(world.channel.id), rule="none")
    assert "Nothing is set." in cleared.text
    assert not (await order(desk)).ephemeral


async def test_a_blocked_person_sees_fetches_and_deletes_what_is_theirs(
    desk: Desk, manager: User
) -> None:
    _, card = await desk.video()
    await typed(desk, "block", manager, person=str(desk.fake_discord.world.user.id))
    assert "managers have blocked your requests" in (await order(desk)).text
    for command in ("videos", "privacy", "notify", "usage"):
        shown = await desk.fake_discord.answer_to(await desk.fake_discord.slash(command))
        assert "blocked" not in shown.text
    assert (await desk.click(card, "Cancel")).text == "Cancelled."
    await typed(desk, "unblock", manager, person=str(desk.fake_discord.world.user.id))
    assert not (await order(desk)).ephemeral


async def test_a_person_who_has_left_can_be_blocked(desk: Desk, manager: User) -> None:
    world = desk.fake_discord.world
    world.absent.add((world.user.id, world.guild.id))
    answer = await typed(desk, "block", manager, person=str(world.user.id))
    assert f"Blocked: <@{world.user.id}>" in answer.text


async def test_limits_are_set_and_removed(desk: Desk, manager: User) -> None:
    role = str(desk.fake_discord.add_role("Film"))
    await typed(desk, "limit", manager, videos=30, of="server")
    await typed(desk, "limit", manager, videos=1, of="person")
    await typed(desk, "limit", manager, videos=9, of="boosters")
    answer = await typed(desk, "limit", manager, videos=5, role=role)
    assert answer.text.splitlines()[2:5] == [
        "- The whole server: 30 videos in 24 hours",
        "- Each person: 1 video in 24 hours",
        f"- Videos in 24 hours by role: people who boost the server: 9, <@&{role}>: 5",
    ]
    assert not (await order(desk)).ephemeral
    assert "managers let you request 1 video" in (await order(desk)).text
    await typed(desk, "limit", manager, videos=0, of="person")
    assert not (await order(desk)).ephemeral
    for options in ({}, {"of": "person", "role": role}):
        answer = await typed(desk, "limit", manager, videos=5, **options)
        assert "Say whose limit it is" in answer.text


async def test_the_history_names_each_change_and_who_made_it(desk: Desk, manager: User) -> None:
    empty = await typed(desk, "history", manager)
    assert empty.text == "**The newest changes**\n- Nothing has been changed yet."
    world = desk.fake_discord.world
    await typed(desk, "age", manager, restricted=True)
    await typed(desk, "block", manager, person=str(world.user.id))
    await typed(desk, "age", manager, restricted=False)
    now, by = f"<t:{int(desk.clock())}:R>", f"<@{manager.id}>"
    assert (await typed(desk, "history", manager)).text.splitlines() == [
        "**The newest changes**",
        f"- {now}, {by}: age-restricted channels only: removed",
        f"- {now}, {by}: requests by <@{world.user.id}>: denied",
        f"- {now}, {by}: age-restricted channels only: on",
    ]


async def test_many_settings_fit_into_one_answer_and_have_a_limit(
    desk: Desk, manager: User
) -> None:
    world, access = desk.fake_discord.world, desk.bench.access
    for target in range(1, MAX_TARGETS + 1):
        for name in (Setting.CHANNEL, Setting.ROLE, Setting.PERSON):
            change = Change(
                scope=world.guild.id, name=name, target=10**18 + target, value=Rule.DENY
            )
            await access.change(change, actor=manager.id, now=desk.clock())
    shown = (await typed(desk, "settings", manager)).text
    assert len(shown) <= 2000
    assert shown.count("and 490 more") == 3
    refused = await typed(desk, "block", manager, person=str(world.user.id))
    assert "the limit is 500" in refused.text


async def test_a_servers_cards_have_its_language_and_spoilers_and_dms_are_personal(
    desk: Desk, manager: User
) -> None:
    await typed(desk, "cards", manager, language="de")
    await typed(desk, "cards", manager, spoiler=True)
    job, card = await desk.video()
    assert "Wird vorbereitet" in card.text
    view = desk.cards.render_video(job, filename="a.mp4").to_components()
    assert '"spoiler": true' in json.dumps(view)
    english = desk.bot.services.texts
    assert desk.cards.dm(job, link="x").startswith(english("dm.ready", link="x"))
    assert desk.cards.dm_cancelled(job).startswith(english("dm.cancelled"))
    assert "Fill in exactly one option" in (await typed(desk, "cards", manager)).text
    await typed(desk, "cards", manager, language="none")
    await typed(desk, "cards", manager, spoiler=False)
    job, card = await desk.video()
    assert "Getting ready" in card.text
    view = desk.cards.render_video(job, filename="a.mp4").to_components()
    assert '"spoiler": true' not in json.dumps(view)


@pytest.mark.parametrize(
    ("options", "own", "told"),
    [
        ({"when": "never"}, None, False),
        ({"when": "never"}, Notify.ALWAYS, True),
        ({"when": "late", "minutes": 10}, None, False),
        ({"when": "none"}, None, True),
    ],
)
async def test_a_server_decides_who_gets_a_dm_unless_the_person_does(
    desk: Desk, manager: User, options: dict[str, Any], own: Notify | None, *, told: bool
) -> None:
    await typed(desk, "dms", manager, **options)
    if own is not None:
        await desk.bench.people.choose(desk.fake_discord.world.user.id, own)
    job, _ = await desk.video()
    desk.bench.backend.finish()
    while job.state is not JobState.NOTIFYING:
        job = await desk.bench.step(job.id)
    await desk.deliverer().notify(job, None)
    assert bool(desk.fake_discord.dms()) is told


# SimCord computes permissions from roles, and applies a server's own rules for commands.


@pytest.fixture
def simcord_bot(bench: Bench, clock: Clock) -> VideoBot:
    return VideoBot(make_services(bench, clock))


async def test_rights_follow_from_roles_even_if_a_server_shows_the_command_to_all(
    simcord_env: simcord.Env, bench: Bench
) -> None:
    guild = simcord_env.create_guild()
    channel = guild.create_text_channel("general")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    manager = guild.add_member(simcord_env.create_user("mary"), roles=[managers])
    member = guild.add_member(simcord_env.create_user("ada"))
    assert "clapper block" in manager.available_commands(channel)
    assert "clapper block" not in member.available_commands(channel)
    backend = simcord_env.backend
    command = backend.find_command("clapper", None)
    assert command is not None
    backend.set_command_permissions(
        guild.id, int(command["id"]), [{"id": str(guild.id), "type": 1, "permission": True}]
    )
    refused = await member.slash(channel, "clapper block", person=manager)
    assert refused.response is not None
    assert "Only people with the permission" in refused.response.content
    assert await bench.database.rows("SELECT * FROM access_audit", {}) == []
    done = await manager.slash(channel, "clapper block", person=member)
    assert done.response is not None
    assert f"Blocked: <@{member.id}>" in done.response.content
    order = await member.slash(channel, "video", prompt="a cat")
    assert order.response is not None
    assert "managers have blocked your requests" in order.response.content
    keys = [getattr(error, "original", error) for error in simcord_env.errors]
    assert [str(key) for key in keys] == ["access.not_a_manager", "access.blocked"]
