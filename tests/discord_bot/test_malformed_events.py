"""Events that discord.py can't parse cost themselves alone: the connection and the others go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.demo.fake_discord.gateway.interaction_events import interaction_create
from bot.demo.fake_discord.gateway.interactions import InteractionKind
from tests.support.wire import WITHIN, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")

# The server of the stand-in is filled in for GUILD.
GUILD = "GUILD"
HUGE = 10**400
MALFORMED: dict[str, list[Any]] = {
    "GUILD_ROLE_CREATE": [{"guild_id": GUILD, "role": {"id": "5", "permissions": "0"}}],
    "GUILD_CREATE": [{"id": "77", "name": None, "roles": None, "channels": None}],
    "GUILD_UPDATE": [{"id": GUILD, "roles": [{"id": None}]}],
    "GUILD_DELETE": [None],
    "CHANNEL_CREATE": [{"id": "x", "guild_id": GUILD, "type": 0}],
    "CHANNEL_UPDATE": [{"id": "8", "guild_id": [GUILD], "type": 12345}],
    "THREAD_LIST_SYNC": [{"guild_id": GUILD, "threads": [{}], "members": 5}],
    "THREAD_CREATE": [{"guild_id": GUILD, "id": {}, "type": 11}],
    "MESSAGE_CREATE": [{"id": "9", "channel_id": "8", "content": "a secret"}],
    "MESSAGE_DELETE": [{"id": HUGE}],
    "MESSAGE_REACTION_ADD": [[]],
    "INTERACTION_CREATE": [{"id": "5"}],
    "GUILD_MEMBER_UPDATE": ["text"],
    "GUILD_EMOJIS_UPDATE": [{"guild_id": GUILD, "emojis": [1, 2]}],
    "STAGE_INSTANCE_CREATE": [7],
    "INTEGRATION_CREATE": [True],
    "INVITE_CREATE": [{"channel_id": GUILD, "guild_id": GUILD}],
    "USER_UPDATE": [{}],
    "ENTITLEMENT_CREATE": [None],
    "AUTO_MODERATION_RULE_CREATE": [1e308],
    "RESUMED": [None],
}


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path) as opened:
        yield opened


def filled(data: object, guild_id: int) -> Any:
    return json.loads(json.dumps(data).replace('"GUILD"', f'"{guild_id}"'))


def skipped(lines: list[str]) -> list[str]:
    return [line.split()[1].removeprefix("event=") for line in lines if "gateway.skipped" in line]


async def test_malformed_events_of_many_kinds_are_a_line_each_and_no_disconnect(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = wire.fake_discord.gateway
    async with wire.bot() as running:
        guild_id = wire.fake_discord.world.guilds[0].id
        for event, [data] in MALFORMED.items():
            for _ in range(3):
                gateway.dispatch(event, filled(data, guild_id))
        message = await wire.video("A cat")
        await wire.wait_for_video(message)
        await wire.wait_for_job()
        assert not running.done()
    assert sorted(skipped(caplog.messages)) == sorted(MALFORMED)
    assert (gateway.identified, gateway.resumed) == (1, 0)
    assert "a secret" not in caplog.text


async def test_an_event_that_stays_malformed_is_logged_at_each_tenfold_number(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    async with wire.bot():
        for _ in range(100):
            wire.fake_discord.gateway.dispatch("GUILD_DELETE", None)  # pyright: ignore[reportArgumentType] - malformed
        await wire.wait_for_video(await wire.video("A cat"))
        await wire.wait_for_job()
    counts = [line.rpartition("times=")[2] for line in caplog.messages if "gateway.skip" in line]
    assert counts == ["1", "10", "100"]


FRAMES: dict[str, str | bytes] = {
    "no JSON": "nonsense",
    "no object": "[1, 2]",
    "null": "null",
    "a number with 5000 digits": f'{{"op": 0, "d": {"9" * 5000}}}',
    "nested too deeply": "[" * 100_000,
    "an unknown op code": '{"op": 99, "d": null}',
    "an op code that is none": '{"op": {"a": 1}, "d": null}',
    "an unknown event": '{"op": 0, "t": "NOBODY_KNOWS", "s": null, "d": null}',
    "a name that is none": '{"op": 0, "t": ["READY"], "s": null, "d": {}}',
    "no fields": "{}",
}


async def test_frames_that_cannot_be_read_are_no_disconnect(wire: Wire) -> None:
    gateway = wire.fake_discord.gateway
    async with wire.bot() as running:
        for frame in FRAMES.values():
            gateway.send_frame(frame)
        await wire.wait_for_video(await wire.video("A cat"))
        await wire.wait_for_job()
        assert not running.done()
    assert (gateway.identified, gateway.resumed) == (1, 0)


@pytest.mark.parametrize(
    "frame",
    [
        b"no zlib stream\x00\x00\xff\xff",
        '{"op": 10, "d": null}',
        '{"op": 10, "d": {"heartbeat_interval": 0}}',
        '{"op": 10, "d": {"heartbeat_interval": 1e400}}',
        '{"op": 7, "d": "reconnect"}',
    ],
)
async def test_a_connection_that_cannot_go_on_is_resumed(wire: Wire, frame: str | bytes) -> None:
    gateway = wire.fake_discord.gateway
    async with wire.bot() as running:
        gateway.send_frame(frame)
        await wire.fake_discord.wait_for(lambda: gateway.resumed == 1, within=WITHIN)
        await wire.wait_for_video(await wire.video("A cat"))
        await wire.wait_for_job()
        assert not running.done()
    assert gateway.identified == 1


def opened(wire: Wire, kind: InteractionKind = InteractionKind.COMMAND) -> Interaction:
    world = wire.fake_discord.world
    return wire.fake_discord.interactions.open(kind, world.user, world.channel)


def event_of(wire: Wire, interaction: Interaction, data: Any) -> dict[str, Any]:
    fake = wire.fake_discord
    return interaction_create(interaction, data, fake.world, fake.limits)


BAD_INTERACTIONS: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": 99},
    "a type that is text": {"type": "2"},
    "no data": {"data": None},
    "data that is a list": {"data": []},
    "a command without a name": {"data": {"id": "1", "type": 1}},
    "an unknown command": {"data": {"id": "1", "type": 1, "name": "unknown"}},
    "an unknown kind of command": {"data": {"id": "1", "type": 44, "name": "video"}},
    "an attachment that is not resolved": {
        "data": {
            "id": "1",
            "type": 1,
            "name": "video",
            "options": [
                {"name": "prompt", "type": 3, "value": "a cat"},
                {"name": "audio", "type": 11, "value": "5"},
            ],
        }
    },
    "options that are a number": {"data": {"id": "1", "type": 1, "name": "video", "options": 5}},
    "a button without an id": {"type": 3, "data": {"component_type": 2}},
    "a button with a number as its id": {"type": 3, "data": {"component_type": 2, "custom_id": 5}},
    "a form without fields": {"type": 5, "data": {"custom_id": "x"}},
    "a user who is none": {"user": 5, "member": 5},
    "a server who is none": {"guild_id": "x"},
    "no application": {"application_id": None},
}


async def test_interactions_that_cannot_be_read_are_answered_privately(wire: Wire) -> None:
    command = {"id": "1", "type": 1, "name": "video"}
    async with wire.bot() as running:
        for name, fields in BAD_INTERACTIONS.items():
            interaction = opened(wire)
            event = event_of(wire, interaction, command) | fields
            wire.fake_discord.gateway.dispatch("INTERACTION_CREATE", event)
            message = await wire.fake_discord.answer_to(interaction)
            assert message.ephemeral, name
            assert message.text, name
        assert not running.done()
    assert wire.creates() == 0


async def test_autocompletes_that_cannot_be_read_offer_no_choices(wire: Wire) -> None:
    nothing_focused = {"id": "1", "type": 1, "name": "video", "options": []}
    async with wire.bot():
        for data in (None, nothing_focused, {"name": []}):
            asked = opened(wire, InteractionKind.AUTOCOMPLETE)
            event = event_of(wire, asked, {}) | {"data": data}
            wire.fake_discord.gateway.dispatch("INTERACTION_CREATE", event)
            await wire.fake_discord.wait_for(lambda asked=asked: asked.choices is not None)
            assert asked.choices == []


async def test_an_interaction_without_a_usable_id_or_token_gets_no_request(wire: Wire) -> None:
    unusable = [{"id": "../../users/@me"}, {"id": None}, {"token": 5}, {"token": ""}]
    async with wire.bot():
        for fields in (*unusable, {"id": "9" * 30}):
            event = event_of(wire, opened(wire), {}) | {"data": None, "member": 5} | fields
            wire.fake_discord.gateway.dispatch("INTERACTION_CREATE", event)
        await wire.wait_for_video(await wire.video("A cat"))
        await wire.wait_for_job()
    callbacks = [r for r in wire.fake_discord.history.requests if "/callback" in r.path]
    assert len(callbacks) == 1
