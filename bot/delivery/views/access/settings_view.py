"""Builds the responses to the commands that control orders: who may order, and how many videos.

The responses show the settings of a server or of the whole bot, or the history of these settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.formatting import cut_block
from bot.jobs.costs.budgeting import GRANT
from bot.texts import Dollars, Moment
from storage.access.audit import ABOUT_PEOPLE
from storage.access.pause import Pause
from storage.access.settings import BOOSTERS, EVERYWHERE, NO_TARGET, Rule, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.texts import Texts
    from storage.access.audit import AuditEntry
    from storage.access.settings import AccessSettings

# At most this many channels, roles or people are named per line, so that all lines fit into a
# message.
_MAX_NAMED = 10
_MAX_CHARACTERS = 2000
_SIGNS = {
    Setting.CHANNEL: "#",
    Setting.ROLE: "@&",
    Setting.ROLE_DAY: "@&",
    Setting.PERSON: "@",
}
_RULE_LINES = {
    (Setting.CHANNEL, Rule.ALLOW): "access.channel_allow",
    (Setting.CHANNEL, Rule.DENY): "access.channel_deny",
    (Setting.ROLE, Rule.ALLOW): "access.role_allow",
    (Setting.ROLE, Rule.DENY): "access.role_deny",
    (Setting.SERVER, Rule.DENY): "access.server_deny",
}
# Some settings have a word as their value, and not a number. These are the words.
_WORDS = frozenset({"allow", "deny", "on", "always", "never", "en", "de", "ja"})


class AccessView:
    """Renders settings and their history in the language of the person who asks."""

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def overview(
        self, settings: AccessSettings, blocked: Sequence[int], *, scope: int, first: str = ""
    ) -> str:
        """Return the line `first`, followed by the lines about all settings of a scope."""
        is_everywhere = scope == EVERYWHERE
        lines = [
            *([self.pause(settings.pause)] if settings.pause else []),
            *self._rules(Setting.CHANNEL, settings.channels),
            *self._rules(Setting.ROLE, settings.roles),
            *self._rules(Setting.SERVER, settings.servers),
            *self._people(blocked),
            *([self._say("access.only_restricted")] if settings.needs_age_restriction else []),
            *self._caps(settings),
            *self._log_channel(settings),
            *self._cards(settings),
        ]
        heading = self._say(
            "access.heading_everywhere" if is_everywhere else "access.heading_server"
        )
        shown = [
            *([first] if first else []),
            heading,
            *(f"- {line}" for line in lines or [self._say("access.nothing_set")]),
            *([] if is_everywhere else [self._say("access.only_narrower")]),
        ]
        return cut_block("\n".join(shown), _MAX_CHARACTERS)

    def history(self, entries: Sequence[AuditEntry]) -> str:
        """Return the lines about the newest changes in a scope."""
        lines = [f"- {self._entry(entry)}" for entry in entries]
        shown = [self._say("access.heading_history"), *(lines or [self._say("access.no_history")])]
        return cut_block("\n".join(shown), _MAX_CHARACTERS)

    def conditions(self, settings: AccessSettings) -> list[str]:
        """Return the lines that say in which channels, and with which roles, people can order."""
        return [
            *self._rules(Setting.CHANNEL, settings.channels),
            *self._rules(Setting.ROLE, settings.roles),
            *([self._say("access.only_restricted")] if settings.needs_age_restriction else []),
        ]

    def _rules(self, name: Setting, rules: Mapping[int, Rule]) -> list[str]:
        targets = {
            rule: sorted(target for target, each in rules.items() if each is rule) for rule in Rule
        }
        return [
            self._say(key, names=self._named(name, targets[rule]))
            for (each, rule), key in _RULE_LINES.items()
            if each is name and targets[rule]
        ]

    def _people(self, blocked: Sequence[int]) -> list[str]:
        if not blocked:
            return []
        return [self._say("access.person_deny", names=self._named(Setting.PERSON, blocked))]

    def _caps(self, settings: AccessSettings) -> list[str]:
        limits = [
            ("access.server_limit", settings.server_day),
            ("access.person_limit", settings.person_day),
        ]
        lines = [self._say(key, limit=limit) for key, limit in limits if limit is not None]
        caps = settings.role_caps.items()
        shown = [f"{self._name(Setting.ROLE_DAY, role)}: {cap}" for role, cap in sorted(caps)]
        if shown:
            lines.append(self._say("access.role_limits", limits=self._some(shown)))
        return lines

    def _log_channel(self, settings: AccessSettings) -> list[str]:
        if settings.log_channel is None:
            return []
        return [self._say("access.log_channel", channel=f"<#{settings.log_channel}>")]

    def _cards(self, settings: AccessSettings) -> list[str]:
        lines: list[str] = []
        if settings.language is not None:
            language = self._word(settings.language)
            lines.append(self._say("access.card_language", language=language))
        if settings.is_spoiler:
            lines.append(self._say("access.card_spoiler"))
        if settings.notify is not None:
            lines.append(self._say("access.dm_default", when=self._word(settings.notify)))
        return lines

    def _entry(self, entry: AuditEntry) -> str:
        actor = self._say("audit.command_line") if entry.actor is None else f"<@{entry.actor}>"
        return self._say(
            "audit.line",
            when=Moment(int(entry.at)),
            actor=actor,
            what=self._say(f"audit.{entry.name}", target=self._target(entry)),
            value=self._value(entry),
        )

    def _value(self, entry: AuditEntry) -> str:
        if entry.value is None:
            return self._say("audit.removed")
        if entry.name == Setting.PAUSE:
            return self.pause(Pause.parse(entry.value))
        if entry.name == Setting.LOG_CHANNEL:
            return f"<#{entry.value}>"
        if entry.name == GRANT:
            return self._say("audit.more", amount=Dollars(float(entry.value)))
        return self._word(entry.value)

    def pause(self, pause: Pause) -> str:
        """Return the line about the operator's pause."""
        if pause.until is None:
            key = "access.is_drained" if pause.is_drain else "access.is_paused"
            return self._say(key, words=pause.words)
        key = "access.is_drained_until" if pause.is_drain else "access.is_paused_until"
        return self._say(key, words=pause.words, when=Moment(pause.until))

    def _target(self, entry: AuditEntry) -> str:
        if entry.name in ABOUT_PEOPLE:
            return f"<@{entry.target}>" if entry.target else self._say("audit.forgotten")
        return self._name(Setting(entry.name), entry.target)

    def _named(self, name: Setting, targets: Sequence[int]) -> str:
        return self._some([self._name(name, target) for target in targets])

    def _some(self, shown: Sequence[str]) -> str:
        joined = ", ".join(shown[:_MAX_NAMED])
        if len(shown) <= _MAX_NAMED:
            return joined
        return self._say("access.and_more", names=joined, more=len(shown) - _MAX_NAMED)

    def _name(self, name: Setting, target: int) -> str:
        if name is Setting.ROLE_DAY and target == BOOSTERS:
            return self._say("access.boosters")
        if target == NO_TARGET:
            return ""
        return f"<{_SIGNS[name]}{target}>" if name in _SIGNS else str(target)

    def _word(self, value: str) -> str:
        word, _, minutes = value.partition(":")
        if word == "late":
            return self._say("word.late", minutes=int(minutes or 0))
        return self._say(f"word.{word}") if word in _WORDS else value

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)
