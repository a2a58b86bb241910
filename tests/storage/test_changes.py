"""Changes of the operator's settings as text, and the values that they accept."""

from __future__ import annotations

import json

import pytest

from storage.access.changes import change_from, change_text, is_valid
from storage.access.pause import MAX_WORDS, Pause
from storage.access.settings import EVERYWHERE, Change, Setting

VALID = [
    (Setting.CHANNEL, 1, "allow"),
    (Setting.CHANNEL, 1, None),
    (Setting.ROLE, 1, "deny"),
    (Setting.ROLE_DAY, 0, "5"),
    (Setting.ROLE_DAY, 7, "5"),
    (Setting.PERSON, 1, "deny"),
    (Setting.SERVER, 2**63 - 1, "deny"),
    (Setting.PERSON_DAY, 0, "100000"),
    (Setting.AGE_RESTRICTED, 0, "on"),
    (Setting.SPOILER, 0, "on"),
    (Setting.LANGUAGE, 0, "de"),
    (Setting.NOTIFY, 0, "never"),
    (Setting.NOTIFY, 0, "late:1440"),
    (Setting.LOG_CHANNEL, 0, "123"),
    (Setting.PAUSE, 0, "pause::Back soon: at noon"),
    (Setting.PAUSE, 0, "drain:1800000000:Back soon"),
    (Setting.PAUSE, 0, None),
]
INVALID = [
    (Setting.CHANNEL, 0, "allow"),
    (Setting.CHANNEL, 1, "on"),
    (Setting.CHANNEL, -1, "allow"),
    (Setting.PERSON, 1, "allow"),
    (Setting.SERVER, 2**63, "deny"),
    (Setting.PERSON_DAY, 1, "5"),
    (Setting.PERSON_DAY, 0, "0"),
    (Setting.PERSON_DAY, 0, "-5"),
    (Setting.PERSON_DAY, 0, "100001"),
    (Setting.PERSON_DAY, 0, "\u0665"),
    (Setting.AGE_RESTRICTED, 0, "off"),
    (Setting.SPOILER, 0, "off"),
    (Setting.LANGUAGE, 0, "fr"),
    (Setting.LANGUAGE, 1, "de"),
    (Setting.NOTIFY, 0, "late"),
    (Setting.NOTIFY, 0, "late:0"),
    (Setting.NOTIFY, 0, "late:1441"),
    (Setting.NOTIFY, 0, "late:+5"),
    (Setting.NOTIFY, 0, "sometimes"),
    (Setting.LOG_CHANNEL, 0, "0"),
    (Setting.PAUSE, 0, "pause:Back soon"),
    (Setting.PAUSE, 0, "stop::Back soon"),
    (Setting.PAUSE, 0, "pause:soon:Back"),
    (Setting.PAUSE, 0, "pause:-5:Back"),
    (Setting.PAUSE, 0, f"pause:{'9' * 12}:Back"),
    (Setting.PAUSE, 0, "pause:: "),
    (Setting.PAUSE, 0, "pause::two\nlines"),
    (Setting.PAUSE, 0, f"pause::{'x' * (MAX_WORDS + 1)}"),
]


@pytest.mark.parametrize(("name", "target", "value"), VALID)
def test_a_change_is_read_as_it_was_written(name: Setting, target: int, value: str | None) -> None:
    change = Change(scope=EVERYWHERE, name=name, target=target, value=value)
    assert is_valid(change)
    assert change_from(change_text(change)) == change


@pytest.mark.parametrize(("name", "target", "value"), INVALID)
def test_an_impossible_change_is_refused(name: Setting, target: int, value: str) -> None:
    change = Change(scope=EVERYWHERE, name=name, target=target, value=value)
    assert not is_valid(change)
    with pytest.raises(ValueError, match="name"):
        change_from(change_text(change))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        json.dumps({"name": "person", "target": 1}),
        json.dumps({"name": "person", "target": "1", "value": None}),
        json.dumps({"name": "person", "target": True, "value": "deny"}),
        json.dumps({"name": "owner", "target": 1, "value": None}),
        json.dumps({"name": "person", "target": 1, "value": 5}),
    ],
)
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each of them has another message
        change_from(text)


@pytest.mark.parametrize(
    "pause",
    [
        Pause(words="Back: soon"),
        Pause(words="Back", until=1_800_000_000),
        Pause(words="Back", until=5, is_drain=True),
    ],
)
def test_a_pause_is_read_as_it_was_written(pause: Pause) -> None:
    assert Pause.parse(str(pause)) == pause
