"""Orders under the settings of a server's managers, and of the operator for every server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.demo.fake_discord.state.channel import THREAD
from bot.errors import UserError
from bot.model import Client
from bot.moderation.access.place import OrderFrom, Reach
from storage.access.settings import BOOSTERS, EVERYWHERE, ON, Change, Rule, Setting
from tests.support.desk import open_desk
from tests.support.fakes.bench import CAPS
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import REQUEST
from tests.support.form_steps import count
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
CATEGORY = 4242
DMS = Reach(order_from=OrderFrom.DMS)


@pytest.fixture
def reach() -> Reach:
    """Return what the operator allows; a test that needs other places parametrizes it."""
    return Reach()


@pytest.fixture
async def desk(tmp_path: Path, reach: Reach) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, reach=reach, voice=FakeVoice(b"no sound")) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def set_rule(
    desk: Desk, name: Setting, value: str | None, *, target: int = 0, scope: int | None = None
) -> None:
    where = desk.fake_discord.world.guild.id if scope is None else scope
    change = Change(scope=where, name=name, target=target, value=value)
    await desk.bench.access.change(change, actor=1, now=desk.clock())


async def order(desk: Desk, where: Channel | None = None, user: User | None = None) -> Message:
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, where=where, user=user)
    return await desk.fake_discord.answer_to(asked)


async def expect_refused(
    desk: Desk, words: str, where: Channel | None = None, user: User | None = None
) -> None:
    """Check the sentence, and that nothing was stored, and nothing asked of the provider."""
    before = await count(desk)
    answer = await order(desk, where, user)
    assert words in answer.text
    assert answer.ephemeral
    spoken = await desk.fake_discord.slash("narrate", {"text": "Hello"}, where=where, user=user)
    assert words in (await desk.fake_discord.answer_to(spoken)).text
    assert await count(desk) == before
    assert await desk.bench.database.rows("SELECT * FROM speeches", {}) == []
    assert desk.bench.backend.posts == 0


async def expect_allowed(
    desk: Desk, where: Channel | None = None, user: User | None = None
) -> None:
    before = await count(desk)
    assert not (await order(desk, where, user)).ephemeral
    assert await count(desk) == before + 1


async def test_a_denied_channel_takes_no_orders_and_neither_do_its_threads(desk: Desk) -> None:
    world = desk.fake_discord.world
    thread = world.add_channel(world.guild, kind=THREAD, parent_id=world.channel.id)
    await set_rule(desk, Setting.CHANNEL, Rule.DENY, target=world.channel.id)
    await expect_refused(desk, "requests in this channel")
    await expect_refused(desk, "requests in this channel", thread)
    await expect_allowed(desk, world.add_channel(world.guild))
    await set_rule(desk, Setting.CHANNEL, Rule.ALLOW, target=thread.id)
    await expect_allowed(desk, thread)


async def test_with_an_allowed_category_the_other_channels_take_no_orders(desk: Desk) -> None:
    world = desk.fake_discord.world
    inside = world.add_channel(world.guild, parent_id=CATEGORY)
    denied = world.add_channel(world.guild, parent_id=CATEGORY)
    await set_rule(desk, Setting.CHANNEL, Rule.ALLOW, target=CATEGORY)
    await set_rule(desk, Setting.CHANNEL, Rule.DENY, target=denied.id)
    await expect_allowed(desk, inside)
    for where in (denied, world.channel):
        await expect_refused(desk, f"only accept requests in <#{CATEGORY}>", where)


async def test_a_denied_role_counts_more_than_an_allowed_one(desk: Desk) -> None:
    world, guild = desk.fake_discord.world, desk.fake_discord.world.guild
    film, muted = desk.fake_discord.add_role("Film"), desk.fake_discord.add_role("Muted")
    await set_rule(desk, Setting.ROLE, Rule.ALLOW, target=film)
    await expect_refused(desk, f"one of these roles: <@&{film}>")
    world.members.change(world.user, guild, role_ids=(film,))
    await expect_allowed(desk)
    await set_rule(desk, Setting.ROLE, Rule.DENY, target=muted)
    await expect_allowed(desk)
    world.members.change(world.user, guild, role_ids=(film, muted))
    await expect_refused(desk, f"people with any of these roles make requests here: <@&{muted}>")


async def test_a_blocked_person_is_refused_in_that_server_alone(desk: Desk) -> None:
    world = desk.fake_discord.world
    await set_rule(desk, Setting.PERSON, Rule.DENY, target=world.user.id)
    await expect_refused(desk, "managers have blocked your requests")
    await expect_allowed(desk, user=world.add_user("grace"))
    await expect_allowed(desk, world.add_channel(world.add_guild("Another")))
    await set_rule(desk, Setting.PERSON, None, target=world.user.id)
    await expect_allowed(desk)


async def test_a_server_may_want_age_restricted_channels_only(desk: Desk) -> None:
    world = desk.fake_discord.world
    await set_rule(desk, Setting.AGE_RESTRICTED, ON)
    await expect_refused(desk, "age-restricted channels")
    await expect_allowed(desk, world.add_channel(world.guild, is_age_restricted=True))


async def test_the_operators_rules_hold_in_every_server(desk: Desk) -> None:
    world = desk.fake_discord.world
    grace, another = world.add_user("grace"), world.add_guild("Another")
    await set_rule(desk, Setting.PERSON, Rule.DENY, target=world.user.id, scope=EVERYWHERE)
    await expect_refused(desk, "My operator has blocked your requests")
    # A server's own settings can't widen that.
    await set_rule(desk, Setting.PERSON, Rule.ALLOW, target=world.user.id)
    await expect_refused(desk, "My operator has blocked your requests")
    await expect_allowed(desk, user=grace)
    await set_rule(desk, Setting.SERVER, Rule.DENY, target=another.id, scope=EVERYWHERE)
    await expect_refused(desk, "requests in this server", world.add_channel(another), grace)


@pytest.mark.parametrize("reach", [Reach(order_from=OrderFrom.EVERYWHERE)])
async def test_a_server_that_the_operator_denies_takes_no_orders_of_user_installs(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    denied = world.add_guild("Elsewhere", installed=False)
    where = world.add_channel(denied)
    await set_rule(desk, Setting.SERVER, Rule.DENY, target=denied.id, scope=EVERYWHERE)
    await expect_refused(desk, "requests in this server", where)
    await expect_allowed(desk, world.dm(world.user))
    await set_rule(desk, Setting.SERVER, None, target=denied.id, scope=EVERYWHERE)
    await expect_allowed(desk, where)


@pytest.mark.parametrize("reach", [DMS])
async def test_an_order_by_dm_counts_for_the_first_server_that_allows_it(desk: Desk) -> None:
    world = desk.fake_discord.world
    dm = world.dm(world.user)
    await expect_allowed(desk, dm)
    for name, value, target in (
        (Setting.PERSON, Rule.DENY, world.user.id),
        (Setting.CHANNEL, Rule.ALLOW, world.channel.id),
        (Setting.AGE_RESTRICTED, ON, 0),
        (Setting.ROLE, Rule.ALLOW, 77),
    ):
        await set_rule(desk, name, value, target=target)
        await expect_refused(desk, "None of the servers that you're in", dm)
        await set_rule(desk, name, None, target=target)
    await set_rule(desk, Setting.PERSON, Rule.DENY, target=world.user.id, scope=EVERYWHERE)
    await expect_refused(desk, "My operator has blocked your requests", dm)


@pytest.mark.parametrize("reach", [DMS])
async def test_a_denied_channel_does_not_close_direct_messages(desk: Desk) -> None:
    world = desk.fake_discord.world
    await set_rule(desk, Setting.CHANNEL, Rule.DENY, target=world.channel.id)
    await expect_allowed(desk, world.dm(world.user))


async def test_the_caps_of_a_server_count_only_in_that_server(desk: Desk) -> None:
    world = desk.fake_discord.world
    elsewhere = world.add_channel(world.add_guild("Another"))
    await expect_allowed(desk, elsewhere)
    await set_rule(desk, Setting.PERSON_DAY, "1")
    await set_rule(desk, Setting.SERVER_DAY, "2")
    await expect_allowed(desk)
    refused = await order(desk)
    assert "managers let you request 1 video in 24 hours" in refused.text
    shown = await desk.fake_discord.answer_to(await desk.fake_discord.slash("usage"))
    assert (
        "Your videos of the last 24 hours that count towards the server's limit: 1 of 1, 0 left"
        in shown.text
    )
    await expect_allowed(desk, user=world.add_user("grace"))
    refused = await order(desk, user=world.add_user("mary"))
    assert "managers allow 2 videos in 24 hours in total" in refused.text
    await expect_allowed(desk, elsewhere)


async def test_a_server_that_gives_people_no_videos_gives_them_only_to_roles_with_a_cap(
    desk: Desk,
) -> None:
    world, role = desk.fake_discord.world, desk.fake_discord.add_role("Film")
    await set_rule(desk, Setting.PERSON_DAY, "0")
    refused = await order(desk)
    assert "managers let you request 0 videos in 24 hours" in refused.text
    assert await count(desk) == 0
    await set_rule(desk, Setting.ROLE_DAY, "1", target=role)
    world.members.change(world.user, world.guild, role_ids=(role,))
    await expect_allowed(desk)


async def test_the_highest_of_a_servers_caps_for_roles_counts(desk: Desk) -> None:
    world, role = desk.fake_discord.world, desk.fake_discord.add_role("Film")
    await set_rule(desk, Setting.ROLE_DAY, "2", target=role)
    await set_rule(desk, Setting.ROLE_DAY, "1", target=BOOSTERS)
    await set_rule(desk, Setting.PERSON_DAY, "1")
    world.members.change(world.user, world.guild, role_ids=(role,))
    for _ in range(2):
        await expect_allowed(desk)
    assert "managers let you request 2 videos" in (await order(desk)).text


async def test_a_server_can_narrow_the_operators_caps_but_not_widen_them(tmp_path: Path) -> None:
    caps = replace(CAPS, per_user_day=1, per_server_day=2)
    async with open_desk(tmp_path, caps=caps, reach=Reach()) as desk:
        world = desk.fake_discord.world
        await set_rule(desk, Setting.PERSON_DAY, "9")
        await set_rule(desk, Setting.SERVER_DAY, "9")
        await expect_allowed(desk)
        assert "You can request 1 video in 24 hours" in (await order(desk)).text
        await expect_allowed(desk, user=world.add_user("grace"))
        refused = await order(desk, user=world.add_user("mary"))
        assert "In this server, 2 videos can be requested in 24 hours" in refused.text
        # The operator's settings in Discord count instead of those of the file.
        await set_rule(desk, Setting.PERSON_DAY, "2", scope=EVERYWHERE)
        await set_rule(desk, Setting.SERVER_DAY, "4", scope=EVERYWHERE)
        await expect_allowed(desk)
        assert "You can request 2 videos in 24 hours" in (await order(desk)).text


async def test_the_operators_cap_of_every_server_holds_for_clients_too(desk: Desk) -> None:
    await set_rule(desk, Setting.SERVER_DAY, "1", scope=EVERYWHERE)
    first, second = (Client(name="web", key=key) for key in "ab")
    assert await desk.bench.jobs.submit(REQUEST, first, None) is not None
    with pytest.raises(UserError, match=r"caps\.client_day"):
        await desk.bench.jobs.submit(REQUEST, second, None)
