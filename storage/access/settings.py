"""The access settings of one server, or of the whole bot: who may order videos, and how many."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING

from storage.access.pause import Pause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from storage.database import Database

#: The scope of the operator's settings. The scope of a server's settings is the server's ID.
EVERYWHERE = 0
#: The target of a setting that doesn't apply to a particular channel, role, person or server.
NO_TARGET = 0
#: With `Setting.ROLE_DAY`: the target of the cap for people who boost the server.
BOOSTERS = 0
#: The maximum number of targets for which a scope can have the same setting.
MAX_TARGETS = 500

_SET = """
INSERT INTO access_settings (scope, name, target, value, actor, changed_at)
SELECT :scope, :name, :target, :value, :actor, :now
WHERE EXISTS (
        SELECT 1 FROM access_settings WHERE scope = :scope AND name = :name AND target = :target)
    OR (SELECT count(*) FROM access_settings WHERE scope = :scope AND name = :name) < :max_targets
ON CONFLICT (scope, name, target) DO UPDATE SET
    value = excluded.value, actor = excluded.actor, changed_at = excluded.changed_at
WHERE coalesce(access_settings.value, '') <> excluded.value
RETURNING scope
"""

_CLEAR = """
UPDATE access_settings SET value = NULL, actor = :actor, changed_at = :now
WHERE scope = :scope AND name = :name AND target = :target
RETURNING scope
"""

_GET = """
SELECT value FROM access_settings WHERE scope = :scope AND name = :name AND target = :target
"""

# There may be settings for hundreds of people, so only those for one person are read.
_READ = """
SELECT scope, name, target, value FROM access_settings
WHERE scope IN (SELECT CAST(value AS BIGINT) FROM json_each(:scopes)) AND name <> 'person'
UNION ALL
SELECT scope, name, target, value FROM access_settings
WHERE scope IN (SELECT CAST(value AS BIGINT) FROM json_each(:scopes))
    AND name = 'person' AND target = :person
"""

_TARGETS = """
SELECT target FROM access_settings WHERE scope = :scope AND name = :name
ORDER BY changed_at DESC, target
"""


class Setting(StrEnum):
    """The names of the settings. The first five have a target, such as a channel."""

    CHANNEL = "channel"
    ROLE = "role"
    PERSON = "person"
    SERVER = "server"
    ROLE_DAY = "role_day"

    PERSON_DAY = "person_day"
    SERVER_DAY = "server_day"
    LANGUAGE = "language"
    NOTIFY = "notify"
    SPOILER = "spoiler"
    AGE_RESTRICTED = "age_restricted"
    PAUSE = "pause"
    LOG_CHANNEL = "log_channel"


class Rule(StrEnum):
    """The value of a setting that allows or denies a channel, role, person or server."""

    ALLOW = "allow"
    DENY = "deny"


ON = "on"


class Outcome(Enum):
    """The result of a change. `FULL` means that the setting already has `MAX_TARGETS` targets."""

    CHANGED = auto()
    UNCHANGED = auto()
    FULL = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A change to one setting. A `value` of None removes the setting."""

    scope: int
    name: Setting
    target: int = NO_TARGET
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessSettings:
    """The settings of one scope, including those for one person, but not for other people.

    None, False and empty mean that the setting is not set in this scope.
    `role_caps`, `person_day` and `server_day` are the allowed numbers of videos in 24 hours.
    `notify` has the form that `/notify` uses, such as `always` or `late:10`.
    `pause` exists only in the operator's scope. It may already have ended.
    """

    channels: Mapping[int, Rule] = field(default_factory=dict[int, Rule])
    roles: Mapping[int, Rule] = field(default_factory=dict[int, Rule])
    servers: Mapping[int, Rule] = field(default_factory=dict[int, Rule])
    person: Rule | None = None
    role_caps: Mapping[int, int] = field(default_factory=dict[int, int])
    person_day: int | None = None
    server_day: int | None = None
    language: str | None = None
    notify: str | None = None
    is_spoiler: bool = False
    needs_age_restriction: bool = False
    pause: Pause | None = None
    log_channel: int | None = None


class AccessSettingsStore:
    """Stores the access settings. Each change is also recorded in the audit, with its author."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, change: Change, *, actor: int | None, now: float) -> Outcome:
        """Make a change. `actor` is its author's Discord ID, or None for the command line."""
        params = {
            "scope": change.scope,
            "name": change.name,
            "target": change.target,
            "value": change.value,
            "actor": actor,
            "now": now,
            "max_targets": MAX_TARGETS,
        }
        if await self._database.counting_row(_CLEAR if change.value is None else _SET, params):
            return Outcome.CHANGED
        row = await self._database.row(_GET, params)
        is_so = (row["value"] if row else None) == change.value
        return Outcome.UNCHANGED if is_so else Outcome.FULL

    async def read(
        self, scopes: Iterable[int], *, person: int | None = None
    ) -> Mapping[int, AccessSettings]:
        """Return the settings by scope. Settings for people other than `person` are left out."""
        wanted = list(scopes)
        rows = await self._database.rows(_READ, {"scopes": json.dumps(wanted), "person": person})
        found: dict[int, dict[str, dict[int, str]]] = {scope: defaultdict(dict) for scope in wanted}
        for row in rows:
            found[row["scope"]][row["name"]][row["target"]] = row["value"]
        return {scope: _settings(values) for scope, values in found.items()}

    async def pause(self, *, now: float) -> Pause | None:
        """Return the operator's pause, or None if no pause is in effect at `now`."""
        params = {"scope": EVERYWHERE, "name": Setting.PAUSE, "target": NO_TARGET}
        row = await self._database.row(_GET, params)
        pause = Pause.parse(row["value"]) if row else None
        return pause if pause and pause.lasts(now) else None

    async def log_channel(self) -> int | None:
        """Return the channel to which orders and refusals are posted, or None."""
        params = {"scope": EVERYWHERE, "name": Setting.LOG_CHANNEL, "target": NO_TARGET}
        row = await self._database.row(_GET, params)
        return int(row["value"]) if row else None

    async def targets(self, scope: int, name: Setting) -> list[int]:
        """List the targets that have a setting. The most recently changed target is first."""
        rows = await self._database.rows(_TARGETS, {"scope": scope, "name": name})
        return [row["target"] for row in rows]


def _settings(values: Mapping[str, Mapping[int, str]]) -> AccessSettings:
    pause = _one(values, Setting.PAUSE)
    people = values.get(Setting.PERSON, {}).values()
    return AccessSettings(
        channels=_rules(values, Setting.CHANNEL),
        roles=_rules(values, Setting.ROLE),
        servers=_rules(values, Setting.SERVER),
        person=next((Rule(value) for value in people), None),
        role_caps={role: int(value) for role, value in values.get(Setting.ROLE_DAY, {}).items()},
        person_day=_number(values, Setting.PERSON_DAY),
        server_day=_number(values, Setting.SERVER_DAY),
        language=_one(values, Setting.LANGUAGE),
        notify=_one(values, Setting.NOTIFY),
        is_spoiler=_one(values, Setting.SPOILER) == ON,
        needs_age_restriction=_one(values, Setting.AGE_RESTRICTED) == ON,
        pause=None if pause is None else Pause.parse(pause),
        log_channel=_number(values, Setting.LOG_CHANNEL),
    )


def _rules(values: Mapping[str, Mapping[int, str]], name: Setting) -> dict[int, Rule]:
    return {target: Rule(value) for target, value in values.get(name, {}).items()}


def _number(values: Mapping[str, Mapping[int, str]], name: Setting) -> int | None:
    value = _one(values, name)
    return None if value is None else int(value)


def _one(values: Mapping[str, Mapping[int, str]], name: Setting) -> str | None:
    return values.get(name, {}).get(NO_TARGET)
