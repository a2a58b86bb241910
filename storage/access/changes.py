"""Converts changes to access settings to JSON and back, and validates them."""

from __future__ import annotations

import json

from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, NO_TARGET, ON, Change, Rule, Setting
from storage.people import Notify

#: The settings that apply to a particular channel, role, person or server.
TARGETED = frozenset(
    {Setting.CHANNEL, Setting.ROLE, Setting.PERSON, Setting.SERVER, Setting.ROLE_DAY}
)
# The words that each setting can have as its value.
_WORDS = {
    Setting.CHANNEL: frozenset(Rule),
    Setting.ROLE: frozenset(Rule),
    Setting.PERSON: frozenset({Rule.DENY}),
    Setting.SERVER: frozenset({Rule.DENY}),
    Setting.LANGUAGE: frozenset({"en", "de", "ja"}),
    Setting.NOTIFY: frozenset({Notify.ALWAYS, Notify.NEVER}),
    Setting.SPOILER: frozenset({ON}),
    Setting.AGE_RESTRICTED: frozenset({ON}),
}
_LATE = f"{Notify.LATE}:"
_DAY_MINUTES = 24 * 60
_MAX_VIDEOS = 100_000
_MAX_TARGET = 2**63 - 1
# The maximum of each setting whose value is a number.
_MAXIMA = {
    Setting.ROLE_DAY: _MAX_VIDEOS,
    Setting.PERSON_DAY: _MAX_VIDEOS,
    Setting.SERVER_DAY: _MAX_VIDEOS,
    Setting.LOG_CHANNEL: _MAX_TARGET,
}


def change_text(change: Change) -> str:
    """Return a change as JSON."""
    return json.dumps({"name": change.name, "target": change.target, "value": change.value})


def change_from(text: str) -> Change:
    """Parse a change to the operator's settings from JSON. Raises ValueError if it is invalid."""
    try:
        match json.loads(text):
            # A JSON `true` is a bool, which Python also accepts as an int.
            case {"name": str(name), "target": int(target), "value": (str() | None) as value} if (
                not isinstance(target, bool)
            ):
                change = Change(scope=EVERYWHERE, name=Setting(name), target=target, value=value)
            case _:
                raise ValueError(text)
    except RecursionError as error:
        raise ValueError(text) from error
    if not is_valid(change):
        raise ValueError(text)
    return change


def is_valid(change: Change) -> bool:
    """Return whether a change to the operator's settings has a valid target and a valid value."""
    if change.name in TARGETED:
        is_about_all = change.name is Setting.ROLE_DAY and change.target == NO_TARGET
        if not (0 < change.target <= _MAX_TARGET or is_about_all):
            return False
    elif change.target != NO_TARGET:
        return False
    return change.value is None or _is_value(change.name, change.value)


def _is_value(name: Setting, value: str) -> bool:
    if name is Setting.PAUSE:
        return _is_pause(value)
    if name in _MAXIMA:
        return _is_number(value, maximum=_MAXIMA[name])
    if name is Setting.NOTIFY and value.startswith(_LATE):
        return _is_number(value.removeprefix(_LATE), maximum=_DAY_MINUTES)
    return value in _WORDS[name]


def _is_number(value: str, *, maximum: int) -> bool:
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(maximum))
    return is_number and 0 < int(value) <= maximum


def _is_pause(value: str) -> bool:
    try:
        Pause.parse(value)
    except ValueError:
        return False
    return True
