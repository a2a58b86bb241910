"""The log channel: its orders and refusals, the number of its messages, and a closed channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bot.commands.checks.owner.log_channel import examine_log_channel
from bot.delivery.order_log.entries import LogEntry, log_message
from bot.demo.fake_discord.api_errors import MISSING_ACCESS, rate_limited, server_error
from bot.moderation.access.refusals import RefusedOrder
from bot.texts import Texts
from storage.access.settings import EVERYWHERE, Change, Outcome, Rule, Setting
from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


@pytest.fixture
async def channel(desk: Desk) -> Channel:
    """Return the log channel, which is set as the command sets it."""
    world = desk.fake_discord.world
    channel = world.add_channel(world.guild)
    await choose(desk, channel.id)
    return channel


async def choose(desk: Desk, channel_id: int | None) -> Outcome:
    value = None if channel_id is None else str(channel_id)
    change = Change(scope=EVERYWHERE, name=Setting.LOG_CHANNEL, value=value)
    return await desk.bench.access.change(change, actor=None, now=desk.clock())


def posted(desk: Desk, channel: Channel) -> list[Message]:
    return [each for each in desk.fake_discord.history.messages if each.channel == channel]


async def refuse(desk: Desk, prompt: str = "a secret") -> Message:
    """Order as a person who is blocked."""
    world = desk.fake_discord.world
    spammer = world.add_user("spammer")
    change = Change(scope=EVERYWHERE, name=Setting.PERSON, target=spammer.id, value=Rule.DENY)
    await desk.bench.access.change(change, actor=None, now=desk.clock())
    asked = await desk.fake_discord.slash("video", {"prompt": prompt}, user=spammer)
    return await desk.fake_discord.answer_to(asked)


async def test_orders_and_refusals_are_posted_with_ids_and_reasons_but_no_words(
    desk: Desk, channel: Channel
) -> None:
    log, world = desk.order_log(), desk.fake_discord.world
    job, _ = await desk.video("a secret plan")
    await refuse(desk, "another secret plan")
    assert await log.post() > 0
    [message] = posted(desk, channel)
    ordered, refused = message.text.splitlines()
    assert ordered == (
        f"<t:{int(desk.clock())}:T> · order {job.id[:12]} · <@{world.user.id}> · "
        f"<#{world.channel.id}> · server {world.guild.id}"
    )
    assert "refused: access.blocked_everywhere" in refused
    [sent] = desk.made("POST /channels/{channel_id}/messages")
    assert sent.json["allowed_mentions"] == {"parse": []}
    assert "secret" not in str(sent.json)


async def test_five_hundred_orders_a_minute_are_a_few_messages_and_none_is_missing(
    desk: Desk, channel: Channel
) -> None:
    log, seconds, told = desk.order_log(), 0.0, 0
    while seconds < 60:
        wanted = int((seconds + 1) * 500 / 60)
        for number in range(told, wanted):
            log.on_refusal(RefusedOrder(reason="caps.all", user_id=10**17 + number, server_id=5))
        told = wanted
        seconds += await log.post()
    messages = posted(desk, channel)
    assert len(messages) == 4
    listed = [line for message in messages for line in lines_of(message)]
    assert len(re.findall(r"caps\.all", "\n".join(listed))) == int(46 * 500 / 60)


def lines_of(message: Message) -> list[str]:
    if not message.files:
        return message.text.splitlines()
    [file] = message.files
    return file.path.read_text().splitlines()


async def test_what_is_dropped_is_counted_and_said(desk: Desk, channel: Channel) -> None:
    log = desk.order_log()
    for number in range(2300):
        log.on_refusal(RefusedOrder(reason="caps.day", user_id=number, server_id=5, channel_id=6))
    for _ in range(3):
        await log.post()
    first, second = posted(desk, channel)
    assert first.text.splitlines() == [
        "300 earlier entries are missing.",
        "Orders: 0. Refusals: 1,000. The file lists them all.",
    ]
    assert lines_of(first)[0].endswith("refused: caps.day · 300 · 6 · server 5")
    assert lines_of(second)[-1].endswith("· 2299 · 6 · server 5")


async def test_while_discord_is_down_or_busy_the_same_message_is_sent_again(
    desk: Desk, channel: Channel
) -> None:
    log = desk.order_log()
    log.on_refusal(RefusedOrder(reason="caps.day", client="web"))
    route = f"POST /channels/{channel.id}/messages"
    desk.fake_discord.faults.add(route, server_error())
    assert await log.post() == 30
    desk.fake_discord.faults.add(route, rate_limited(40))
    assert await log.post() == 40
    log.on_refusal(RefusedOrder(reason="caps.all", client="web"))
    desk.clock.advance(41)
    for _ in range(2):
        await log.post()
    first, second = posted(desk, channel)
    assert "refused: caps.day · API client web" in first.text
    assert "refused: caps.all · API client web" in second.text
    nonces = [each.json["nonce"] for each in desk.made("POST /channels/{channel_id}/messages")]
    assert nonces[0] == nonces[1] == nonces[2] != nonces[3]


async def test_a_closed_channel_is_told_to_the_operator_once_and_by_doctor_until_it_is_open(
    desk: Desk, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    log, data_dir = desk.order_log(), desk.bench.root
    assert examine_log_channel(data_dir).found == str(channel.id)
    fault = desk.fake_discord.faults
    fault.add(f"POST /channels/{channel.id}/messages", MISSING_ACCESS, times=None)
    log.on_refusal(RefusedOrder(reason="caps.day", client="web"))
    for _ in range(2):
        assert await log.post() == 60
        await desk.operator_notices().send_due()
    [told] = desk.fake_discord.dms()
    assert f"can't post to the log channel <#{channel.id}>" in told.text
    assert f"order_log.closed channel={channel.id}" in caplog.text
    finding = examine_log_channel(data_dir)
    assert (finding.ok, "(403 50001)" in finding.found) == (False, True)
    fault.clear()
    await log.post()
    assert examine_log_channel(data_dir).ok
    assert len(posted(desk, channel)) == 1


async def test_without_a_channel_nothing_is_kept_and_a_chosen_one_holds_after_a_restart(
    desk: Desk, channel: Channel
) -> None:
    await choose(desk, None)
    log = desk.order_log()
    log.on_refusal(RefusedOrder(reason="caps.day", client="web"))
    await log.post()
    await choose(desk, channel.id)
    assert await log.post() == 0
    assert posted(desk, channel) == []
    restarted = desk.order_log()
    restarted.on_refusal(RefusedOrder(reason="caps.all", client="web"))
    await restarted.post()
    assert len(posted(desk, channel)) == 1
    assert examine_log_channel(desk.bench.root / "none").found == "none chosen"


def test_a_command_about_settings_that_is_refused_is_no_refused_order(desk: Desk) -> None:
    found: list[RefusedOrder] = []
    desk.bench.refusals.subscribe(found.append)
    for reason in ("access.not_a_manager", "owner.not_an_owner", "reply.unknown", "access.dm"):
        desk.bench.refusals.publish(RefusedOrder(reason=reason))
    assert [each.reason for each in found] == ["access.dm"]


def test_a_line_outside_servers_names_no_channel() -> None:
    message = log_message([LogEntry(at=0, job_id="a" * 32, user_id=5)], lost=0, texts=Texts.load())
    assert message.text == f"<t:0:T> · order {'a' * 12} · <@5> · outside servers"
