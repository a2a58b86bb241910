"""`/clapper-owner`: its commands by the owner, the team and everyone else, and what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.demo.fake_discord.api_errors import MISSING_ACCESS, server_error
from bot.discord_bot.owner import rights
from bot.discord_bot.owner.command_sync import OWNER_GROUP
from bot.moderation.access.place import Reach
from storage.access.settings import EVERYWHERE
from storage.access.voice_consents import VoiceConsentStore
from storage.ledger.budgets import Budgets
from tests.support.desk import open_desk
from tests.support.form_steps import count
from tests.support.owner_commands import WORDS, owner_commands
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
MANAGE_GUILD, ADMINISTRATOR = 1 << 5, 1 << 3
APPLICATION = "/oauth2/applications/@me"
# Each command answers with one of these words.
SHOWN = ("Spending in", "every server", "newest changes", "can spend", "Delete all videos")
PRICE = 1_000_000


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(
        tmp_path,
        reach=Reach(),
        has_owner_commands=True,
        price=PRICE,
        budgets=Budgets(per_user_month=2 * PRICE),
    ) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def typed(
    desk: Desk,
    command: str,
    user: User | None = None,
    where: Channel | None = None,
    **options: Any,
) -> Message:
    """Use a command of the group, as the application's owner unless another user is named."""
    name = f"{OWNER_GROUP} {command}"
    asked = await desk.fake_discord.slash(name, options, user=user, where=where)
    return await desk.fake_discord.answer_to(asked)


async def order(desk: Desk, user: User | None = None, where: Channel | None = None) -> Message:
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, user=user, where=where)
    return await desk.fake_discord.answer_to(asked)


def each_command(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return every command of the group, with options."""
    world = desk.fake_discord.world
    person, server = str(world.add_user("spammer").id), str(world.guild.id)
    return owner_commands(
        person=person,
        server=server,
        channel_id=world.channel.id,
        log_channel=str(world.channel.id),
    )


def member_of_team(desk: Desk, user: User, role: str, *, accepted: bool = True) -> dict[str, Any]:
    team_id = str(desk.fake_discord.world.application_id)
    payload = user.payload() | {"avatar": None, "discriminator": "0"}
    state = 2 if accepted else 1
    return {"membership_state": state, "team_id": team_id, "user": payload, "role": role}


async def stored(desk: Desk) -> list[Any]:
    return [
        *await desk.bench.database.rows("SELECT * FROM access_settings", {}),
        *await desk.bench.database.rows("SELECT * FROM access_audit", {}),
    ]


async def test_only_the_chosen_server_has_the_group_and_every_command_of_it_is_tried(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    [group] = world.guild_commands.list(world.guild.id)
    assert {option["name"] for option in group["options"]} == each_command(desk).keys()
    assert group["default_member_permissions"] == ADMINISTRATOR
    assert OWNER_GROUP not in {command["name"] for command in world.commands}


async def test_the_owner_uses_every_command_and_only_the_owner_sees_the_answer(desk: Desk) -> None:
    for command, options in each_command(desk).items():
        answer = await typed(desk, command, **options)
        assert answer.ephemeral
        assert any(words in answer.text for words in SHOWN)
    assert len(desk.made(f"GET {APPLICATION}")) == 2  # one at the login, and one that is kept


async def test_the_owner_gets_the_picture_of_a_month(desk: Desk) -> None:
    answer = await typed(desk, "spending", month="2026-10")
    assert answer.text == "Spending in 2026-10: $0.00 spent"
    [picture] = answer.files
    assert (picture.filename, picture.content_type) == ("spending-2026-10.png", "image/png")
    assert (await typed(desk, "spending", month="October")).text == "Write a month like 2026-11."


async def test_those_of_a_team_who_may_change_the_application_use_it_and_others_do_not(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    founder, admin, developer, reader, invited = (
        world.add_user(name) for name in ("founder", "admin", "developer", "reader", "invited")
    )
    world.team = {
        "id": str(world.application_id),
        "name": "Film",
        "icon": None,
        "owner_user_id": str(founder.id),
        "members": [
            member_of_team(desk, founder, "admin"),
            member_of_team(desk, admin, "admin"),
            member_of_team(desk, developer, "developer"),
            member_of_team(desk, reader, "read_only"),
            member_of_team(desk, invited, "admin", accepted=False),
        ],
    }
    for person in (founder, admin, developer):
        answer = await typed(desk, "pause", person, words=WORDS)
        assert "New requests are paused" in answer.text
        assert "paused" not in (await typed(desk, "resume", person)).text
    before = await stored(desk)
    for person in (reader, invited, world.user):
        assert "Only this bot's owner" in (await typed(desk, "pause", person, words=WORDS)).text
    assert await stored(desk) == before


async def test_managers_administrators_members_and_strangers_are_refused_every_command(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    manager, administrator = world.add_user("mary"), world.add_user("joan")
    world.members.change(manager, world.guild, permissions=MANAGE_GUILD)
    world.members.change(administrator, world.guild, permissions=ADMINISTRATOR)
    people = (manager, administrator, world.add_user("member"))
    for command, options in each_command(desk).items():
        for person in people:
            answer = await typed(desk, command, person, **options)
            assert (answer.ephemeral, "Only this bot's owner" in answer.text) == (True, True)
    for options in ({"words": WORDS, "until": "soon"}, {"words": "\u200b"}):
        assert "Only this bot's owner" in (await typed(desk, "pause", manager, **options)).text
    assert "Only this bot's owner" in (await typed(desk, "block-server", manager, server="x")).text
    assert await stored(desk) == []
    for locale, words in (("de", "Eigentümer des Bots"), ("ja", "所有者")):
        answer = await typed(desk, "settings", world.add_user("ada", locale=locale))
        assert words in answer.text


async def test_an_old_definition_in_another_server_is_refused_there(desk: Desk) -> None:
    world = desk.fake_discord.world
    other = world.add_guild("Elsewhere")
    [group] = world.guild_commands.list(world.guild.id)
    world.guild_commands.put(other.id, group | {"id": "5"})
    where = world.add_channel(other)
    answer = await typed(desk, "pause", None, where, words=WORDS)
    assert "no longer offered" in answer.text
    assert await stored(desk) == []


async def test_while_discord_does_not_say_who_owns_the_bot_nothing_is_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fake_discord.faults.add(f"GET {APPLICATION}", server_error(), times=None)
    with monkeypatch.context() as impatient:
        impatient.setattr(rights, "_SECONDS", 0.1)
        answer = await typed(desk, "block-server", server=str(desk.fake_discord.world.guild.id))
    assert "couldn't ask Discord" in answer.text
    assert await stored(desk) == []
    desk.fake_discord.faults.clear()
    assert "every server" in (await typed(desk, "settings")).text


async def test_a_person_who_leaves_the_team_may_use_it_for_a_minute_at_most(desk: Desk) -> None:
    world = desk.fake_discord.world
    assert "every server" in (await typed(desk, "settings")).text
    world.application_fields = {"owner": world.add_user("heir").payload()}
    desk.clock.advance(61)
    assert "Only this bot's owner" in (await typed(desk, "settings")).text


async def test_a_pause_refuses_orders_in_every_server_with_the_words_and_the_time(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    answer = await typed(desk, "pause", words=f"  {WORDS} ", until="2h")
    until = f"<t:{int(desk.clock()) + 7200}:R>"
    assert f"- **New requests are paused**: “{WORDS}” This ends {until}." in answer.text
    other = world.add_channel(world.add_guild("Another"))
    for where in (None, other):
        refused = (await order(desk, where=where)).text
        assert f"“{WORDS}”" in refused
        assert until in refused
    assert await count(desk) == 0
    desk.clock.advance(7201)
    assert "paused" not in (await typed(desk, "settings")).text
    assert not (await order(desk)).ephemeral


async def test_a_time_without_a_zone_is_in_utc(desk: Desk) -> None:
    answer = await typed(desk, "drain", words=WORDS, until="2099-12-31T18:00")
    assert "queued videos wait**" in answer.text
    assert "This ends <t:4102423200:R>" in answer.text
    assert "Nothing is set." in (await typed(desk, "resume")).text
    assert not (await order(desk)).ephemeral


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("pause", {"words": WORDS, "until": "soon"}, "isn't a time in the future"),
        ("pause", {"words": WORDS, "until": "2020-01-01"}, "isn't a time in the future"),
        ("drain", {"words": "\u200b"}, "one line"),
        ("block-server", {"server": "my server"}, "not an ID"),
        ("channel", {"channel": "9" * 19, "rule": "deny"}, "not an ID"),
        ("limit", {"videos": 5}, "Say whose limit it is"),
    ],
)
async def test_what_can_not_be_set_is_refused_in_one_sentence(
    desk: Desk, command: str, options: dict[str, Any], sentence: str
) -> None:
    assert sentence in (await typed(desk, command, **options)).text
    assert await stored(desk) == []


async def test_a_blocked_server_and_a_blocked_person_are_refused_until_they_are_unblocked(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    person, server = world.add_user("spammer"), str(world.guild.id)
    for command, options in (
        ("block", {"person": str(person.id)}),
        ("block-server", {"server": server}),
    ):
        await typed(desk, command, **options)
        assert (await order(desk, person)).ephemeral
        await typed(desk, f"un{command}", **options)
        assert not (await order(desk, person)).ephemeral


async def test_settings_apply_to_every_server_and_the_history_names_who_made_them(
    desk: Desk,
) -> None:
    world = desk.fake_discord.world
    other = world.add_channel(world.add_guild("Another"))
    answer = await typed(desk, "channel", channel=f"<#{other.id}>", rule="deny")
    assert f"- Not in these channels: <#{other.id}>" in answer.text
    assert "requests in this channel" in (await order(desk, where=other)).text
    assert not (await order(desk)).ephemeral
    await typed(desk, "limit", videos=1, of="person")
    assert "1 video" in (await order(desk)).text
    now, by = f"<t:{int(desk.clock())}:R>", f"<@{world.user.id}>"
    assert (await typed(desk, "history")).text.splitlines() == [
        "**The newest changes**",
        f"- {now}, {by}: limit of each person: 1",
        f"- {now}, {by}: channel <#{other.id}>: denied",
    ]
    entries = await desk.bench.database.rows("SELECT scope, actor FROM access_audit", {})
    assert {tuple(entry) for entry in entries} == {(EVERYWHERE, world.user.id)}


async def test_a_grant_lets_a_person_spend_more_and_is_in_the_history(desk: Desk) -> None:
    world = desk.fake_discord.world
    person = world.add_user("ada")
    for _ in range(2):
        assert not (await order(desk, person)).ephemeral
    assert "Your budget" in (await order(desk, person)).text
    for wrong in ("much", "0", "-1"):
        refused = await typed(desk, "grant", person=str(person.id), amount=wrong)
        assert "not an amount" in refused.text
    answer = await typed(desk, "grant", person=str(person.id), amount="1")
    assert answer.text == (
        f"<@{person.id}> can spend $3.00 in this month. $2.00 of it is spent or reserved."
    )
    assert not (await order(desk, person)).ephemeral
    assert (
        f"budget of <@{person.id}> for this month: $1.00 more"
        in (await typed(desk, "history")).text
    )


async def test_a_take_down_asks_first_and_says_what_it_has_deleted(desk: Desk) -> None:
    world = desk.fake_discord.world
    job, card = await desk.video()
    desk.bench.backend.finish()
    await desk.bench.run_out(job.id)
    await desk.video()
    consents = VoiceConsentStore(desk.bench.database)
    for agrees in (True, False):
        await consents.answer(world.user.id, f"{agrees}.example", agrees=agrees, now=desk.clock())
    person = str(world.user.id)
    asked = await typed(desk, "remove-person", person=person)
    assert f"Delete all videos, prompts and narrations of <@{person}>" in asked.text
    kept = await desk.click(asked, "No, keep it")
    assert kept.text == "Nothing was deleted."
    assert not card.deleted
    again = await typed(desk, "remove-person", person=person)
    await desk.click(again, "Yes, delete everything")
    await desk.fake_discord.wait_for(lambda: "are deleted" in again.text)
    assert again.text.splitlines()[:4] == [
        f"**The videos of <@{person}> are deleted.**",
        "- 1 video with its prompt and files",
        "- 2 cards in Discord",
        "- 1 video is still in progress. Use the command again in a few minutes.",
    ]
    assert card.deleted
    [entry] = [each for each in await stored(desk) if "removal" in tuple(each)]
    assert (entry["target"], entry["actor"]) == (world.user.id, world.user.id)
    # A service that the person has declined hears nothing of them afterwards either.
    assert await consents.get(world.user.id, "False.example") is False
    assert await consents.get(world.user.id, "True.example") is None


async def test_a_forged_or_old_button_of_a_take_down_deletes_nothing(desk: Desk) -> None:
    world = desk.fake_discord.world
    _, card = await desk.video()
    asked = await typed(desk, "remove-person", person=str(world.user.id))
    other = world.add_user("mary")
    world.members.change(other, world.guild, permissions=ADMINISTRATOR)
    assert "Only this bot's owner" in (await desk.click(asked, "Yes", user=other)).text
    heir = world.add_user("heir")
    world.application_fields = {"owner": heir.payload()}
    desk.clock.advance(61)
    assert "Only the owner who used the command" in (await desk.click(asked, "Yes", user=heir)).text
    assert "Only this bot's owner" in (await desk.click(asked, "Yes")).text
    desk.bot.services.owners.servers = frozenset()
    assert "only works in the servers" in (await desk.click(asked, "Yes", user=heir)).text
    assert not card.deleted
    assert await stored(desk) == []


async def test_a_log_channel_is_tried_before_it_is_stored(desk: Desk) -> None:
    world = desk.fake_discord.world
    channel = world.add_channel(world.guild)
    answer = await typed(desk, "log-channel", channel=str(channel.id))
    assert f"- Orders and refusals are posted to <#{channel.id}>" in answer.text
    [said] = [each for each in desk.fake_discord.history.messages if each.channel == channel]
    assert said.text.startswith("From now on, I post orders and refusals here")
    closed = world.add_channel(world.guild)
    route = f"POST /channels/{closed.id}/messages"
    desk.fake_discord.faults.add(route, MISSING_ACCESS, times=None)
    refused = await typed(desk, "log-channel", channel=str(closed.id))
    assert f"I can't post in <#{closed.id}>" in refused.text
    assert await desk.bench.access.log_channel() == channel.id
    await typed(desk, "log-channel")
    assert await desk.bench.access.log_channel() is None
    assert (
        f"channel for orders and refusals: <#{channel.id}>" in (await typed(desk, "history")).text
    )
