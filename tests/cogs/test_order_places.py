"""The places from which orders are accepted. test_refused_orders.py has every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.demo.fake_discord import api_errors
from bot.model import Client
from bot.moderation.access.place import OrderFrom, Reach
from storage.jobs.caps import Caps
from tests.support.desk import open_desk
from tests.support.fakes.bench import EVERYWHERE
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import REQUEST, VOICE
from tests.support.form_steps import count
from tests.support.places import find_place
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.world import Channel
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
SYNCED = "PUT /applications/{application_id}/commands"
MEMBER = "GET /guilds/{guild_id}/members/{user_id}"
DMS = Reach(order_from=OrderFrom.DMS)


@pytest.fixture
def reach() -> Reach:
    """Return what the operator allows; a test that needs other places parametrizes it."""
    return Reach()


@pytest.fixture
async def desk(tmp_path: Path, reach: Reach) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, reach=reach, voice=FakeVoice(b"no sound")) as opened:
        opened.bench.backend.finish()
        yield opened
        check_all(opened.fake_discord.history.requests)


async def order(desk: Desk, where: Channel, **who: Any) -> Message:
    asked = await desk.fake_discord.slash("video", {"prompt": "a cat"}, where=where, **who)
    return await desk.fake_discord.answer_to(asked)


async def expect_refused(desk: Desk, answer: Message, words: str) -> None:
    """Check that nothing was stored, and nothing asked of the provider."""
    assert words in answer.text
    assert answer.ephemeral
    assert await count(desk) == 0
    assert await desk.bench.database.rows("SELECT * FROM speeches", {}) == []
    assert desk.bench.backend.posts == 0


REFUSED = [
    ("dm", "direct messages"),
    ("group", "servers that have added me"),
    ("user_install", "servers that have added me"),
]


@pytest.mark.parametrize(("kind", "words"), REFUSED)
async def test_by_default_only_servers_with_the_bot_may_order(
    desk: Desk, kind: str, words: str
) -> None:
    await expect_refused(desk, await order(desk, find_place(desk, kind)), words)
    spoken = await desk.fake_discord.slash(
        "narrate", {"text": "Hello"}, where=find_place(desk, kind)
    )
    await expect_refused(desk, await desk.fake_discord.answer_to(spoken), words)
    assert not (await order(desk, find_place(desk, "server"))).ephemeral


async def test_a_server_that_is_named_is_allowed(desk: Desk) -> None:
    guild = desk.fake_discord.world.guild
    desk.bench.gate.reach = Reach(allowed_servers=frozenset({guild.id}))
    assert not (await order(desk, find_place(desk, "server"))).ephemeral


@pytest.mark.parametrize("reach", [EVERYWHERE])
async def test_clients_and_repeated_requests_are_not_judged_by_a_place(desk: Desk) -> None:
    bench = desk.bench
    assert await bench.jobs.submit(REQUEST, Client(name="web"), None) is not None
    first = await bench.submit(user_id=7, interaction_id=70)
    bench.gate.reach = Reach(allowed_servers=frozenset({5}))
    assert await bench.jobs.submit(REQUEST, first.origin, VOICE) is None


# Direct messages


@pytest.mark.parametrize("reach", [DMS])
async def test_a_member_of_a_server_may_order_by_dm_where_that_is_allowed(desk: Desk) -> None:
    world = desk.fake_discord.world
    for _ in range(2):
        assert not (await order(desk, find_place(desk, "dm"))).ephemeral
    assert len(desk.made(MEMBER)) == 1
    jobs = [change.job for change in desk.bench.changes if change.previous is None]
    assert {(job.origin.guild_id, job.origin.home_id) for job in jobs} == {(None, world.guild.id)}
    for kind, words in REFUSED[1:]:
        await expect_refused_place(desk, kind, words)


async def expect_refused_place(desk: Desk, kind: str, words: str) -> None:
    before = await count(desk)
    assert words in (await order(desk, find_place(desk, kind))).text
    assert await count(desk) == before


@pytest.mark.parametrize("reach", [DMS])
async def test_a_stranger_may_not_order_by_dm(desk: Desk) -> None:
    world = desk.fake_discord.world
    world.absent.add((world.user.id, world.guild.id))
    answer = await order(desk, find_place(desk, "dm"))
    await expect_refused(desk, answer, "members of a server")
    world.absent.clear()
    assert "members of a server" in (await order(desk, find_place(desk, "dm"))).text
    assert len(desk.made(MEMBER)) == 1
    desk.clock.advance(61)
    assert not (await order(desk, find_place(desk, "dm"))).ephemeral


@pytest.mark.parametrize("reach", [DMS])
async def test_an_order_by_dm_counts_for_a_server_of_the_person(
    tmp_path: Path, reach: Reach
) -> None:
    caps = Caps(open_per_user=9, open_in_all=9, per_day=9, per_user_day=9, per_server_day=2)
    async with open_desk(tmp_path, reach=reach, caps=caps) as desk:
        dm, server = find_place(desk, "dm"), find_place(desk, "server")
        for where in (dm, server):
            assert not (await order(desk, where)).ephemeral
        assert "In that server, 2 videos can be requested" in (await order(desk, dm)).text
        assert "In this server, 2 videos can be requested" in (await order(desk, server)).text
        asked = await desk.fake_discord.slash("usage", {}, where=dm)
        shown = (await desk.fake_discord.answer_to(asked)).text
        assert "That server's videos of the last 24 hours: 2 of 2, 0 left" in shown
        desk.fake_discord.world.absent.add((dm.recipients[0].id, desk.fake_discord.world.guild.id))
        desk.clock.advance(601)
        asked = await desk.fake_discord.slash("usage", {}, where=dm)
        shown = (await desk.fake_discord.answer_to(asked)).text
        assert "Videos requested in direct messages in the last 24 hours: 0 of 2" in shown


@pytest.mark.parametrize("reach", [DMS])
async def test_an_unanswered_question_about_a_member_is_a_refusal(desk: Desk) -> None:
    desk.fake_discord.faults.add("GET /guilds/*", api_errors.MISSING_ACCESS, times=None)
    answer = await order(desk, find_place(desk, "dm"))
    await expect_refused(desk, answer, "try again in a minute")


@pytest.mark.parametrize("reach", [EVERYWHERE])
@pytest.mark.parametrize("kind", ["dm", "group", "user_install"])
async def test_everywhere_is_everywhere(desk: Desk, kind: str) -> None:
    assert not (await order(desk, find_place(desk, kind))).ephemeral
    assert not desk.made(MEMBER)


@pytest.mark.parametrize("kind", ["dm", "group", "user_install"])
@pytest.mark.parametrize(
    "reach", [Reach(order_from=OrderFrom.EVERYWHERE, allowed_servers=frozenset({5}))]
)
async def test_everywhere_with_named_servers_needs_a_member_of_one(desk: Desk, kind: str) -> None:
    await expect_refused(desk, await order(desk, find_place(desk, kind)), "members of a server")


# The definitions


@pytest.mark.parametrize(
    ("reach", "contexts", "installs"),
    [(Reach(), [0], [0]), (DMS, [0, 1], [0]), (EVERYWHERE, [0, 1, 2], [0, 1])],
)
async def test_discord_offers_what_costs_only_where_it_may_be_ordered(
    desk: Desk, contexts: list[int], installs: list[int]
) -> None:
    [sync] = desk.made(SYNCED)
    for command in sync.json:
        if command["name"] == "clapper":
            continue  # for the managers of servers alone
        costs = command["name"] in {"video", "narrate"}
        assert command["contexts"] == (contexts if costs else [0, 1, 2])
        assert command["integration_types"] == (installs if costs else [0, 1])
