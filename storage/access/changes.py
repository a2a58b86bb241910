"""Converts changes to access settings to JSON and back, and validates them."""

from __future__ import annotations

import json

from storage.access.pause import Pause
from storage.access.settings import EVERYWHERE, NO_TARGET, ON, Change, Rule, Setting

#: The settings that apply to a particular channel, role, person or server.
TARGETED = frozenset(
    {Setting.CHANNEL, Setting.ROLE, Setting.PERSON, Setting.SERVER, Setting.ROLE_DAY}
)
_RULED = frozenset({Setting.CHANNEL, Setting.ROLE})
_BLOCKED = frozenset({Setting.PERSON, Setting.SERVER})
_NUMBERED = frozenset({Setting.ROLE_DAY, Setting.PERSON_DAY, Setting.SERVER_DAY})
_MAX_NUMBER = 100_000
_MAX_TARGET = 2**63 - 1


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
    if name in _RULED:
        return value in set(Rule)
    if name in _BLOCKED:
        return value == Rule.DENY
    if name in _NUMBERED:
        is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(_MAX_NUMBER))
        return is_number and 0 < int(value) <= _MAX_NUMBER
    if name is Setting.LOG_CHANNEL:
        is_id = value.isascii() and value.isdecimal() and len(value) <= len(str(_MAX_TARGET))
        return is_id and 0 < int(value) <= _MAX_TARGET
    if name is Setting.PAUSE:
        return _is_pause(value)
    # The other settings are for a server's managers: they decide how cards look in their server.
    return name is Setting.AGE_RESTRICTED and value == ON


def _is_pause(value: str) -> bool:
    try:
        Pause.parse(value)
    except ValueError:
        return False
    return True
