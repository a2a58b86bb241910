"""The definitions of the commands: their languages, their limits, and when they are sent."""

from __future__ import annotations

import asyncio
import copy
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import discord
import pytest

from bot.demo.fake_discord.api_errors import MISSING_ACCESS
from bot.demo.fake_discord.rest import faults
from bot.discord_bot import bot as discord_bot
from bot.discord_bot.audio_uploads import AUDIO_FILE_TYPES
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.command_definitions import are_alike, digest, localise, may_be_alike
from bot.discord_bot.login import log_in
from bot.texts import Texts
from tests.support.desk import open_desk
from tests.support.fakes.media import FakeVoice
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import WITHIN, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from tests.support.desk import Desk

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TEXTS = Texts(
    {
        "en": {
            "command.wait.name": "wait",
            "command.wait.description": "Wait a little",
            "command.wait.how.name": "how",
            "command.wait.how.description": "How to wait",
            "command.wait.how.long": "Long",
            "command.show_more.name": "Show more",
        },
        "de": {
            "command.wait.name": "warten",
            "command.wait.description": "Warte ein wenig",
            "command.wait.how.name": "wie",
            "command.wait.how.description": "Wie gewartet wird",
            "command.wait.how.long": "Lange",
            "command.show_more.name": "Mehr zeigen",
        },
    }
)
# Definitions as discord.py writes them.
HOW: dict[str, Any] = {
    "type": 3,
    "name": "how",
    "description": "…",
    "required": False,
    "choices": [{"name": "long", "value": "long"}],
}
WAIT: dict[str, Any] = {
    "type": 1,
    "name": "wait",
    "description": "…",
    "options": [HOW],
    "nsfw": False,
    "dm_permission": True,
    "default_member_permissions": 8192,
    "contexts": [0, 2, 1],
    "integration_types": [0, 1],
}
SHOW_MORE: dict[str, Any] = {
    "type": 3,
    "name": "Show more",
    "contexts": [0],
    "integration_types": [0],
    "default_member_permissions": None,
}
# Definitions as Discord returns them.
FOUND: list[dict[str, Any]] = [
    {
        "id": "2",
        "application_id": "1",
        "version": "3",
        "type": 3,
        "name": "Show more",
        "name_localizations": {"de": "Mehr zeigen"},
        "description": "",
        "description_localizations": None,
        "contexts": [0],
        "integration_types": [0],
        "default_member_permissions": None,
        "dm_permission": False,
        "nsfw": False,
    },
    {
        "id": "4",
        "application_id": "1",
        "version": "5",
        "type": 1,
        "name": "wait",
        "name_localizations": {"de": "warten"},
        "description": "Wait a little",
        "description_localizations": {"de": "Warte ein wenig"},
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
        "default_member_permissions": "8192",
        "dm_permission": True,
        "nsfw": False,
        "options": [
            {
                "type": 3,
                "name": "how",
                "name_localizations": {"de": "wie"},
                "description": "How to wait",
                "description_localizations": {"de": "Wie gewartet wird"},
                "choices": [
                    {"name": "Long", "name_localizations": {"de": "Lange"}, "value": "long"}
                ],
            }
        ],
    },
]
SYNCED = "PUT /applications/{application_id}/commands"
SENT_TO_SERVER = "POST /applications/{application_id}/guilds/{guild_id}/commands"
NAME = re.compile(r"[-_'\w]{1,32}")  # Discord's own pattern is [-_'\p{L}\p{N}]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, voice=FakeVoice(b""), has_owner_commands=True) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)


async def start_again(desk: Desk) -> None:
    """Start the bot again: logging in sends the commands."""
    async with VideoBot(desk.bot.services) as bot:
        await log_in(bot, desk.fake_discord.token, api_url=desk.fake_discord.url)


# --- the definitions ---


def test_names_descriptions_options_and_choices_are_said_in_every_language() -> None:
    wait, show_more = localise([WAIT, SHOW_MORE], TEXTS)
    assert wait["name"] == "wait"
    assert wait["name_localizations"] == {"de": "warten"}
    assert wait["description"] == "Wait a little"
    assert wait["description_localizations"] == {"de": "Warte ein wenig"}
    [how] = wait["options"]
    assert (how["name"], how["name_localizations"]) == ("how", {"de": "wie"})
    assert how["description_localizations"] == {"de": "Wie gewartet wird"}
    assert how["choices"] == [
        {"name": "Long", "value": "long", "name_localizations": {"de": "Lange"}}
    ]
    assert show_more["name_localizations"] == {"de": "Mehr zeigen"}
    assert "description" not in show_more


def test_a_command_without_a_name_in_the_languages_is_a_bug() -> None:
    with pytest.raises(KeyError):
        localise([WAIT | {"name": "hurry"}], TEXTS)


def test_added_fields_and_another_order_are_no_difference() -> None:
    assert are_alike(FOUND, localise([WAIT, SHOW_MORE], TEXTS))


@pytest.mark.parametrize(
    "wanted",
    [
        [WAIT],
        [WAIT | {"options": []}, SHOW_MORE],
        [WAIT | {"options": [HOW | {"required": True}]}, SHOW_MORE],
        [WAIT | {"options": [HOW | {"choices": []}]}, SHOW_MORE],
        [WAIT | {"contexts": [0]}, SHOW_MORE],
        [WAIT | {"default_member_permissions": 32}, SHOW_MORE],
        [WAIT | {"default_member_permissions": None}, SHOW_MORE],
    ],
)
def test_any_other_value_is_a_difference(wanted: list[dict[str, Any]]) -> None:
    assert not are_alike(FOUND, localise(wanted, TEXTS))


def with_sound(file_types: list[str] | None) -> list[dict[str, Any]]:
    sound = {"type": 11, "name": "sound", "description": "A sound", "required": False}
    return [WAIT | {"options": [sound | ({"file_types": file_types} if file_types else {})]}]


def test_other_file_types_are_a_difference_that_discord_may_hide() -> None:
    wanted = with_sound(["audio", ".aac"])
    assert are_alike(with_sound([".aac", "audio"]), wanted)
    assert not are_alike(with_sound(["image"]), wanted)
    assert not may_be_alike(with_sound(["image"]), wanted)
    assert not are_alike(with_sound(None), wanted)
    assert may_be_alike(with_sound(None), wanted)
    assert not may_be_alike([WAIT], wanted)


def test_a_digest_depends_on_every_field_and_on_no_order() -> None:
    wanted = with_sound(["audio", ".aac"])
    assert digest([SHOW_MORE, *wanted]) == digest([*with_sound([".aac", "audio"]), SHOW_MORE])
    others = [with_sound(["audio"]), with_sound(None), [wanted[0] | {"description": "Wait"}]]
    assert digest(wanted) not in [digest(other) for other in others]


# --- the bot's commands ---


class Listening(Texts):
    """Records the keys that are used."""

    def __init__(self) -> None:
        super().__init__({"en": {}})
        self.asked: set[str] = set()

    def __call__(self, key: str, locale: str = "en", **fields: object) -> str:
        del locale, fields
        self.asked.add(key)
        return key

    def translations(self, key: str) -> dict[str, str]:
        self.asked.add(key)
        return {}


def entries(definitions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield everything that has a name: commands, options and choices."""
    for entry in definitions:
        yield entry
        yield from entries(entry.get("options", []))
        yield from entries(entry.get("choices", []))


async def test_discord_is_told_of_every_command_within_its_rules(desk: Desk) -> None:
    [sync], [of_owner] = desk.made(SYNCED), desk.made(SENT_TO_SERVER)
    definitions = [*sync.json, of_owner.json]
    texts = desk.bot.services.texts
    listening = Listening()
    localise(definitions, listening)
    assert listening.asked == {key for key in texts.keys() if key.startswith("command.")}  # noqa: SIM118 - a method
    for entry in entries(definitions):
        check_rules(entry)
    for command in sync.json:
        is_for_servers = command["name"] == "clapper"
        assert command["contexts"] == ([0] if is_for_servers else [0, 1, 2])
        assert command["integration_types"] == ([0] if is_for_servers else [0, 1])
    for command in definitions:
        assert command["name"] == texts(f"command.{command['name'].lower().replace(' ', '_')}.name")
        assert longest(command) <= 8000
        siblings = command.get("options", [])
        for language in command["name_localizations"]:
            names = {option["name_localizations"][language] for option in siblings}
            assert len(names) == len(siblings)


def check_rules(entry: dict[str, Any]) -> None:
    known = {str(locale) for locale in discord.Locale}
    names = [entry["name"], *entry["name_localizations"].values()]
    assert entry["name_localizations"].keys() <= known
    assert all(1 <= len(name) <= 32 for name in names)
    if "description" in entry:
        for name in names:
            assert NAME.fullmatch(name), name
            assert name == name.lower() == unicodedata.normalize("NFC", name)
        descriptions = [entry["description"], *entry["description_localizations"].values()]
        assert all(1 <= len(text) <= 100 for text in descriptions), descriptions


def longest(command: dict[str, Any]) -> int:
    """Count the characters that Discord limits, with each text in its longest language."""
    return sum(
        len(str(entry.get("value", "")))
        + sum(
            max(
                len(text)
                for text in (entry.get(key, ""), *entry.get(f"{key}_localizations", {}).values())
            )
            for key in ("name", "description")
        )
        for entry in entries([command])
    )


@pytest.mark.parametrize(
    ("locale", "stage", "button"),
    [
        ("en-GB", "Getting ready", "Cancel"),
        ("de", "Wird vorbereitet", "Abbrechen"),
        ("ja", "準備しています", "キャンセル"),
        ("ko", "Getting ready", "Cancel"),
    ],
)
async def test_people_are_answered_in_the_language_of_their_client(
    desk: Desk, locale: str, stage: str, button: str
) -> None:
    person = desk.fake_discord.world.add_user("grete", locale=locale)
    typed = await desk.fake_discord.slash("video", {"prompt": "a cat"}, user=person)
    card = await desk.fake_discord.answer_to(typed)
    assert stage in card.text
    assert button in {part.get("label") for part in card.components}


# --- when they are sent ---


async def test_a_second_start_sends_nothing(desk: Desk) -> None:
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 1


async def test_a_second_start_sends_nothing_although_discord_hides_the_file_types(
    desk: Desk,
) -> None:
    desk.fake_discord.world.hidden_fields = frozenset({"file_types"})
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 1
    desk.fake_discord.world.commands[0]["description"] = "What it was last year"
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 2


@pytest.mark.parametrize(
    "digests", ["DELETE FROM sent_commands", "UPDATE sent_commands SET digest = ''"]
)
async def test_file_types_that_discord_hides_and_was_not_told_are_sent_once(
    desk: Desk, digests: str
) -> None:
    desk.fake_discord.world.hidden_fields = frozenset({"file_types"})
    await desk.bench.database.rows(digests, {})
    await start_again(desk)
    await start_again(desk)
    assert len(desk.made(SYNCED)) == 2


async def test_every_attachment_offers_audio_files(desk: Desk) -> None:
    [sync] = desk.made(SYNCED)
    options = [option for command in sync.json for option in command.get("options", [])]
    attachments = [option for option in options if option["type"] == 11]
    assert [option["name"] for option in attachments] == ["audio"]
    for option in options:
        assert ("file_types" in option) == (option in attachments)
    assert attachments[0]["file_types"] == [*AUDIO_FILE_TYPES]


def test_discord_takes_the_file_types() -> None:
    assert len(AUDIO_FILE_TYPES) == len(set(AUDIO_FILE_TYPES)) <= 10
    assert all(re.fullmatch(r"audio|\.[a-z0-9]+", each) for each in AUDIO_FILE_TYPES)


@pytest.mark.parametrize(
    "change",
    [
        lambda commands: commands[0].update(description="What it was last year"),
        lambda commands: commands[0].update(name_localizations=None),
        lambda commands: commands[0]["options"].pop(),
        lambda commands: commands.pop(),
        lambda commands: commands.clear(),
        lambda commands: commands.append(commands[0] | {"name": "gone"}),
    ],
)
async def test_commands_that_discord_has_otherwise_are_sent_once(
    desk: Desk, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    desk.fake_discord.world.commands = copy.deepcopy(desk.fake_discord.world.commands)
    change(desk.fake_discord.world.commands)
    await start_again(desk)
    await start_again(desk)
    first, second = desk.made(SYNCED)
    assert second.json == first.json


async def test_commands_that_were_refused_are_sent_at_the_next_start(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fake_discord.world.commands.clear()
    desk.fake_discord.faults.add("PUT /applications/*", MISSING_ACCESS)
    await start_again(desk)
    assert "discord.commands_refused" in caplog.text
    assert not desk.fake_discord.world.commands
    await start_again(desk)
    assert [recorded.status for recorded in desk.made(SYNCED)] == [200, 403, 200]
    assert desk.fake_discord.world.commands


async def test_the_running_bot_sends_them_again_until_they_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_bot, "_SYNC_PAUSES", (0, 0))
    async with open_wire(tmp_path) as wire:
        wire.fake_discord.faults.add("PUT /applications/*", MISSING_ACCESS, times=2)
        async with wire.bot() as running:
            await wire.fake_discord.wait_for(
                lambda: wire.fake_discord.world.commands, within=WITHIN
            )
            assert "command sync" in {task.get_name() for task in asyncio.all_tasks()}
            assert not running.done()
        statuses = [each.status for each in wire.fake_discord.history.operations(SYNCED)]
        assert statuses == [403, 403, 200]


async def test_a_missing_answer_does_not_block_the_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(discord_bot, "_SYNC_SECONDS", 0.1)
    held = faults.Hold()
    desk.fake_discord.faults.add("GET /applications/*", held)
    await start_again(desk)
    held.release.set()
    assert held.reached.is_set()
    assert "discord.commands_refused" in caplog.text
