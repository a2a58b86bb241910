"""The response to `/help`: the commands that a person can use here, and who may order here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.delivery.views.access.settings_view import AccessView
from bot.delivery.views.notice import render_panel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from discord import ui

    from bot.moderation.access.gate import Verdict
    from bot.moderation.access.place import OrderPlace
    from bot.texts import Texts


class HelpView:
    """Renders the help in the language of the person who asks."""

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def render(
        self,
        commands: Iterable[str],
        verdict: Verdict,
        place: OrderPlace,
        *,
        members_only: bool,
        languages: str = "",
    ) -> ui.LayoutView:
        """Render the commands, whether the person may order, and the rules about who may order.

        `commands`: the commands' names in the code.
        `members_only`: whether a person who orders outside a server must be a member of one of the
        bot's servers.
        `languages`: the names of the languages that have a voice, or "" to name none.
        """
        return render_panel(
            [
                self._say("help.heading"),
                *map(self._command, commands),
                *([self._say("help.voices", languages=languages)] if languages else []),
                "",
                self._verdict(verdict),
                *self._who(verdict, place, members_only=members_only),
                "",
                self._say("help.data"),
            ]
        )

    def _command(self, name: str) -> str:
        return self._say(
            "help.command",
            name=self._say(f"command.{name}.name"),
            description=self._say(f"command.{name}.description"),
        )

    def _verdict(self, verdict: Verdict) -> str:
        refusal = verdict.refusal
        if refusal is None:
            return self._say("help.may")
        return self._say("help.may_not", reason=self._say(refusal.key, **refusal.fields))

    def _who(self, verdict: Verdict, place: OrderPlace, *, members_only: bool) -> list[str]:
        if place.membership is not None:
            # The operator's rules may be about other servers, so only this server's rules are
            # listed.
            rules = AccessView(self._texts, self._locale).conditions(verdict.terms.server)
            if rules:
                return [self._say("help.rules"), *(f"- {rule}" for rule in rules)]
        if verdict.refusal is not None:
            return []  # the refusal already says what the person would need
        if place.membership is not None:
            return [self._say("help.everyone_in_server")]
        return [self._say("help.members" if members_only else "help.everyone")]

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)
