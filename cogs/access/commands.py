"""The commands that control who may order videos, for one server or for the whole bot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import discord  # noqa: TC002 - discord.py reads the annotations
from discord import app_commands  # noqa: TC002 - same

from bot.delivery.views.access.settings_view import AccessView
from bot.discord_bot.replies import reply_privately
from bot.errors import UserError
from storage.access.settings import BOOSTERS, MAX_TARGETS, ON, Change, Outcome, Rule, Setting
from storage.people import Notify

if TYPE_CHECKING:
    from bot.discord_bot.bot import Services, VideoBot

#: The highest limit on the number of videos in 24 hours.
MAX_LIMIT = 100_000
_DAY_MINUTES = 24 * 60
_HISTORY = 15
# Discord sends the value of a choice as text. The value "none" removes the setting.
_NONE = "none"
RuleChoice = Literal["allow", "deny", "none"]
LimitChoice = Literal["server", "person", "boosters"]
LanguageChoice = Literal["none", "en", "de", "ja"]
NotifyChoice = Literal["none", "always", "never", "late"]


class AccessCommands:
    """The commands that change and show the settings of one scope: a server or the whole bot.

    Only the person who uses a command sees the response. A subclass adds the commands about
    channels and roles. The subclass's `_scope` method checks the person's permission.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, group: app_commands.Group) -> None:
        """Add the commands to a group."""
        group.command()(self.settings)
        group.command()(self.history)
        group.command()(self.block)
        group.command()(self.unblock)
        group.command()(self.age)
        group.command()(self.cards)
        group.command()(self.dms)

    async def _scope(self, interaction: discord.Interaction[VideoBot]) -> int:
        """Return the scope whose settings the person may change.

        Raises UserError if the person may not change any.
        """
        raise NotImplementedError

    async def settings(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show all settings of the scope."""
        await self._show(interaction, await self._scope(interaction), "")

    async def history(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show the newest changes to settings."""
        scope = await self._scope(interaction)
        entries = await self._services.audit.newest(scope, limit=_HISTORY)
        await reply_privately(interaction, _view(interaction).history(entries))

    async def block(self, interaction: discord.Interaction[VideoBot], person: discord.User) -> None:
        """Refuse all orders from a person."""
        await self._set(interaction, Setting.PERSON, Rule.DENY, target=person.id)

    async def unblock(
        self, interaction: discord.Interaction[VideoBot], person: discord.User
    ) -> None:
        """Accept orders from a blocked person again."""
        await self._set(interaction, Setting.PERSON, None, target=person.id)

    async def age(self, interaction: discord.Interaction[VideoBot], restricted: bool) -> None:  # noqa: FBT001 - an option of the command
        """Accept orders only in age-restricted channels, or in all channels."""
        await self._set(interaction, Setting.AGE_RESTRICTED, ON if restricted else None)

    async def cards(
        self,
        interaction: discord.Interaction[VideoBot],
        language: LanguageChoice | None = None,
        spoiler: bool | None = None,  # noqa: FBT001 - an option of the command
    ) -> None:
        """Set the language of cards, or whether videos are marked as spoilers."""
        if (language is None) == (spoiler is None):
            raise UserError("access.one_of_cards")
        if language is not None:
            await self._set(interaction, Setting.LANGUAGE, _value(language))
        else:
            await self._set(interaction, Setting.SPOILER, ON if spoiler else None)

    async def dms(
        self,
        interaction: discord.Interaction[VideoBot],
        when: NotifyChoice,
        minutes: app_commands.Range[int, 1, _DAY_MINUTES] | None = None,
    ) -> None:
        """Set when people get a DM about a finished video. A person's own choice has priority."""
        if when == Notify.LATE and minutes is None:
            raise UserError("notify.minutes")
        value = f"{when}:{minutes}" if when == Notify.LATE else _value(when)
        await self._set(interaction, Setting.NOTIFY, value)

    async def _set_rule(
        self, interaction: discord.Interaction[VideoBot], name: Setting, target: int, rule: str
    ) -> None:
        await self._set(interaction, name, _value(rule), target=target)

    async def _set_limit(
        self,
        interaction: discord.Interaction[VideoBot],
        videos: int,
        of: LimitChoice | None,
        role_id: int | None,
    ) -> None:
        if (of is None) == (role_id is None):
            raise UserError("access.limit_of_what")
        value = str(videos) if videos else None
        if role_id is not None:
            await self._set(interaction, Setting.ROLE_DAY, value, target=role_id)
        elif of == "boosters":
            await self._set(interaction, Setting.ROLE_DAY, value, target=BOOSTERS)
        else:
            name = Setting.SERVER_DAY if of == "server" else Setting.PERSON_DAY
            await self._set(interaction, name, value)

    async def _set(
        self,
        interaction: discord.Interaction[VideoBot],
        name: Setting,
        value: str | None,
        *,
        target: int = 0,
    ) -> None:
        """Change a setting, and show all settings."""
        scope = await self._scope(interaction)
        change = Change(scope=scope, name=name, target=target, value=value)
        outcome = await self._services.access.change(
            change, actor=interaction.user.id, now=self._services.clock()
        )
        if outcome is Outcome.FULL:
            raise UserError("access.full", limit=MAX_TARGETS)
        is_changed = outcome is Outcome.CHANGED
        await self._show(interaction, scope, "access.saved" if is_changed else "access.unchanged")

    async def _show(
        self, interaction: discord.Interaction[VideoBot], scope: int, first: str
    ) -> None:
        access = self._services.access
        blocked = await access.targets(scope, Setting.PERSON)
        settings = (await access.read((scope,)))[scope]
        if settings.pause is not None and not settings.pause.lasts(self._services.clock()):
            settings = replace(settings, pause=None)
        line = self._services.texts(first, str(interaction.locale)) if first else ""
        shown = _view(interaction).overview(settings, blocked, scope=scope, first=line)
        await reply_privately(interaction, shown)


def _value(choice: str) -> str | None:
    return None if choice == _NONE else choice


def _view(interaction: discord.Interaction[VideoBot]) -> AccessView:
    return AccessView(interaction.client.services.texts, str(interaction.locale))
