"""`/status` and `/help`: the state of the queue and the service, and what a person may do here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
import pytest

from bot.demo.fake_discord import api_errors
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.owner import rights
from bot.discord_bot.owner.command_sync import OWNER_GROUP
from bot.errors import Trouble
from bot.model import JobState
from bot.moderation.access.place import OrderFrom, Reach
from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, Change, Rule, Setting
from storage.jobs.queue.overview import MAX_PLACES
from tests.support.desk import make_services, open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import simcord

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.user import User
    from tests.support.desk import Desk
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
MANAGE_GUILD = 1 << 5
APPLICATION = "GET /oauth2/applications/@me"
FREE_COMMANDS = ["videos", "usage", "status", "notify", "privacy"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b"no sound")) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def lines(
    desk: Desk, command: str, where: Channel | None = None, user: User | None = None
) -> list[str]:
    """Type a command, and return the lines of the answer, which only the person sees."""
    asked = await desk.fake_discord.slash(command, where=where, user=user)
    answer = await desk.fake_discord.answer_to(asked)
    assert answer.ephemeral
    return answer.text.splitlines()


async def set_rule(
    desk: Desk, name: Setting, value: str | None, *, target: int = 0, scope: int | None = None
) -> None:
    where = desk.fake_discord.world.guild.id if scope is None else scope
    change = Change(scope=where, name=name, target=target, value=value)
    await desk.bench.access.change(change, actor=1, now=desk.clock())


async def queue(desk: Desk, user_id: int, count: int = 1) -> None:
    for _ in range(count):
        await desk.bench.at(JobState.QUEUED, user_id=user_id, guild_id=8)
        desk.clock.advance(1)


async def test_the_status_counts_all_jobs_and_shows_the_places_of_the_persons_own(
    desk: Desk,
) -> None:
    own = desk.fake_discord.world.user.id
    assert await lines(desk, "status") == [
        "**How things are right now**",
        "- The video service is accepting requests.",
        "- All videos: 0 being made, 0 waiting",
        "- Your videos: 0 being made, 0 waiting",
        "-# /videos shows your videos, and /usage shows how many you have left.",
    ]
    await desk.bench.at(JobState.GENERATING, user_id=5)
    await desk.bench.at(JobState.GENERATING, user_id=own)
    await desk.bench.at(JobState.SUCCEEDED, user_id=own)
    await queue(desk, 5, 2)
    await queue(desk, own)
    await queue(desk, 5)
    await queue(desk, own)
    shown = await lines(desk, "status")
    assert shown[2:5] == [
        "- All videos: 2 being made, 5 waiting",
        "- Your videos: 1 being made, 2 waiting",
        "- Place in the queue: 2 · 4",
    ]
    await queue(desk, own, MAX_PLACES)
    assert (await lines(desk, "status"))[4].count("·") == MAX_PLACES - 1


async def test_the_status_shows_the_usual_duration_of_a_new_video(desk: Desk) -> None:
    for _ in range(3):
        await desk.bench.at(JobState.SUCCEEDED)
    await desk.bench.database.rows("UPDATE jobs SET generated_seconds = 98", {})
    assert "minutes" not in "".join(await lines(desk, "status"))
    # The desk's presets name no model, so the times of another model do not count.
    await desk.bench.database.rows("UPDATE jobs SET model = NULL", {})
    assert "- A video usually takes about 1½ minutes" in await lines(desk, "status")


async def test_the_status_shows_why_videos_wait(desk: Desk) -> None:
    job = await desk.bench.at(JobState.QUEUED)
    for _ in range(3):
        await desk.bench.circuit.refused(Trouble.BALANCE, probing=False)
    until = int(desk.clock()) + 60
    pause = Pause(words="Back after the *upgrade*.", until=until, is_drain=True)
    await set_rule(desk, Setting.PAUSE, str(pause), scope=EVERYWHERE)
    await desk.bench.database.rows(
        "UPDATE jobs SET hold = 'disk', held_since = 1 WHERE id = :id", {"id": job.id}
    )
    ending = "Queued videos wait until this is resolved, for 24 hours at most."
    paused = "**New requests are paused, and queued videos wait**: “Back after the *upgrade*.”"
    shown = await lines(desk, "status")
    assert shown[1:4] == [
        f"- {paused} This ends <t:{until}:R>.",
        f"- My account with the video service is out of credit. {ending}",
        f"- My disk is full. {ending}",
    ]
    desk.clock.advance(61)
    assert "paused" not in (await lines(desk, "status"))[1]
    await desk.bench.circuit.accepted()
    await desk.bench.jobs.cancel(job.id)
    assert "- The video service is accepting requests." in await lines(desk, "status")


@pytest.mark.parametrize(
    ("locale", "status", "offer"),
    [
        ("de", "- Alle Videos: 0 in Arbeit, 0 in der Warteschlange", "- `/verbrauch`"),
        ("ja", "- すべての動画: 制作中0本、順番待ち0本", "- `/利用状況`"),
    ],
)
async def test_both_are_in_the_language_of_the_person(
    desk: Desk, locale: str, status: str, offer: str
) -> None:
    user = desk.fake_discord.world.add_user("ada", locale=locale)
    assert status in await lines(desk, "status", user=user)
    assert any(line.startswith(offer) for line in await lines(desk, "help", user=user))


def commands_in(shown: list[str]) -> list[str]:
    return [line.partition("`/")[2].partition("`")[0] for line in shown if line.startswith("- `/")]


async def test_the_help_lists_the_commands_that_a_person_can_use(desk: Desk) -> None:
    world = desk.fake_discord.world
    desk.bench.gate.reach = Reach()
    shown = await lines(desk, "help")
    assert commands_in(shown) == ["video", "narrate", *FREE_COMMANDS]
    assert "- `/privacy`: See or delete the data I keep about you" in shown
    assert any(line.startswith("**You can request videos here.**") for line in shown)
    assert "Everyone in this server who isn't blocked can request videos too." in shown
    manager = world.add_user("mary")
    world.members.change(manager, world.guild, permissions=MANAGE_GUILD)
    assert commands_in(await lines(desk, "help", user=manager))[-1] == "clapper"
    refused = await lines(desk, "help", world.dm(manager), manager)
    assert commands_in(refused) == FREE_COMMANDS
    assert any("You can't request videos here.** I don't accept" in line for line in refused)


async def test_the_help_lists_the_owners_commands_for_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path, has_owner_commands=True) as desk:
        world = desk.fake_discord.world
        assert commands_in(await lines(desk, "help"))[-1] == OWNER_GROUP
        assert OWNER_GROUP not in commands_in(await lines(desk, "help", world.dm(world.user)))
        member = world.add_user("grace")
        assert OWNER_GROUP not in commands_in(await lines(desk, "help", user=member))
        desk.clock.advance(61)
        desk.fake_discord.faults.add(APPLICATION, api_errors.server_error(), times=None)
        monkeypatch.setattr(rights, "_SECONDS", 0.1)
        assert OWNER_GROUP not in commands_in(await lines(desk, "help"))


async def test_the_help_shows_the_rules_of_the_server_and_names_no_person(desk: Desk) -> None:
    world, role = desk.fake_discord.world, desk.fake_discord.add_role("Film")
    desk.bench.gate.reach = Reach()
    blocked, elsewhere = world.add_user("grace"), world.add_guild("Another")
    await set_rule(desk, Setting.ROLE, Rule.ALLOW, target=role)
    await set_rule(desk, Setting.CHANNEL, Rule.ALLOW, target=world.channel.id)
    await set_rule(desk, Setting.PERSON, Rule.DENY, target=blocked.id)
    await set_rule(desk, Setting.CHANNEL, Rule.DENY, target=4242, scope=elsewhere.id)
    await set_rule(desk, Setting.CHANNEL, Rule.DENY, target=4243, scope=EVERYWHERE)
    rules = [
        "The rules for requests in this server:",
        f"- Only in these channels: <#{world.channel.id}>",
        f"- Only with at least one of these roles: <@&{role}>",
    ]
    shown = await lines(desk, "help")
    assert any(f"you need one of these roles: <@&{role}>" in line for line in shown)
    assert shown[-5:-2] == rules
    world.members.change(world.user, world.guild, role_ids=(role,))
    shown = await lines(desk, "help")
    assert any(line.startswith("**You can request videos here.**") for line in shown)
    assert shown[-5:-2] == rules
    text = "".join([*shown, *await lines(desk, "help", user=blocked)])
    assert "managers have blocked your requests" in text
    assert not any(number in text for number in ("4242", "4243", str(blocked.id)))


@pytest.mark.parametrize(
    ("order_from", "sentence"),
    [
        (
            OrderFrom.DMS,
            "Every member of a server that I'm in can request videos too, unless they're blocked.",
        ),
        (OrderFrom.EVERYWHERE, "Everyone who isn't blocked can request videos too."),
    ],
)
async def test_the_help_in_a_dm_says_who_may_order_there(
    tmp_path: Path, order_from: OrderFrom, sentence: str
) -> None:
    async with open_desk(tmp_path, reach=Reach(order_from=order_from)) as desk:
        dm = desk.fake_discord.world.dm(desk.fake_discord.world.user)
        shown = await lines(desk, "help", dm)
        assert commands_in(shown) == ["video", *FREE_COMMANDS]
        assert sentence in shown


# SimCord computes permissions from roles.


@pytest.fixture
def simcord_bot(bench: Bench, clock: Clock) -> VideoBot:
    return VideoBot(make_services(bench, clock))


async def test_everyone_has_both_commands_and_managers_see_theirs(
    simcord_env: simcord.Env, bench: Bench
) -> None:
    guild, other = simcord_env.create_guild(), simcord_env.create_guild()
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    manager = simcord_env.create_user("mary")
    blocked = Change(scope=guild.id, name=Setting.PERSON, target=manager.id, value=Rule.DENY)
    await bench.access.change(blocked, actor=1, now=bench.clock())
    people = [
        (guild.add_member(manager, roles=[managers]), guild, False, True),
        (guild.add_member(simcord_env.create_user("ada")), guild, True, False),
        # The manager of another server is a member like any other.
        (other.add_member(manager), other, True, False),
    ]
    for person, server, may_order, manages in people:
        channel = server.create_text_channel("general")
        assert {"status", "help"} <= set(person.available_commands(channel))
        shown = await shown_to(person, channel, "help")
        assert ("`/video`" in shown) is may_order
        assert ("`/clapper`" in shown) is manages
        assert "**How things are right now**" in await shown_to(person, channel, "status")
    assert simcord_env.errors == []


async def shown_to(
    person: simcord.MemberActor, channel: simcord.ChannelHandle, command: str
) -> str:
    """Use a command, and return the components of the answer, which only the person sees."""
    result = await person.slash(channel, command)
    assert result.response is not None
    assert result.ephemeral
    return str(result.response.components)
