"""The views of a take-down: the question whether to delete a person's videos, and the result."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import discord
from discord import ui

if TYPE_CHECKING:
    from bot.library.take_down import TakenDown
    from bot.texts import Texts


class RemovalStep(StrEnum):
    """The action of a button: delete everything, or nothing."""

    DELETE = "sure"
    KEEP = "keep"


#: The pattern of the buttons' ids. `owner` is the bot's owner who was asked to confirm.
TEMPLATE = (
    rf"clapper:remove:(?P<step>{'|'.join(RemovalStep)})"
    r":(?P<person>[0-9]{1,20}):(?P<owner>[0-9]{1,20})"
)
_COLOUR = discord.Colour.from_rgb(207, 34, 46)


class RemovalView:
    """Renders the views in the owner's language.

    The views are stopped, because discord.py would keep active views in memory.
    """

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def question(self, person_id: int, *, owner_id: int) -> ui.LayoutView:
        """Ask the owner whether to delete a person's videos."""
        sure, keep = (
            self._button(step, label, style, f"{person_id}:{owner_id}")
            for step, label, style in (
                (RemovalStep.DELETE, "button.delete_all", discord.ButtonStyle.danger),
                (RemovalStep.KEEP, "button.keep_data", discord.ButtonStyle.secondary),
            )
        )
        lines = [self._say("removal.sure", person=f"<@{person_id}>"), self._say("removal.stays")]
        return _make_view(lines, sure, keep)

    def working(self, person_id: int) -> ui.LayoutView:
        """Tell the owner that the deletion has begun."""
        return _make_view([self._say("removal.working", person=f"<@{person_id}>")])

    def kept(self) -> ui.LayoutView:
        """Tell the owner that nothing was deleted."""
        return _make_view([self._say("removal.kept")])

    def done(self, person_id: int, done: TakenDown) -> ui.LayoutView:
        """Tell the owner what was deleted, and what is left."""
        lines = [
            self._say("removal.done", person=f"<@{person_id}>"),
            self._say("removal.jobs", jobs=done.jobs),
            self._say("removal.cards", cards=done.cards),
        ]
        if done.cards_left:
            lines.append(self._say("removal.cards_left", cards=done.cards_left))
        if done.open_jobs:
            lines.append(self._say("removal.open", jobs=done.open_jobs))
        return _make_view([*lines, self._say("removal.block_too")])

    def _button(
        self, step: RemovalStep, label: str, style: discord.ButtonStyle, ids: str
    ) -> ui.Button[ui.LayoutView]:
        custom_id = f"clapper:remove:{step}:{ids}"
        return ui.Button(style=style, label=self._say(label), custom_id=custom_id)

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)


def _make_view(lines: list[str], *buttons: ui.Button[ui.LayoutView]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    container = ui.Container[ui.LayoutView](ui.TextDisplay("\n".join(lines)), accent_colour=_COLOUR)
    if buttons:
        container.add_item(ui.ActionRow(*buttons))
    view.add_item(container)
    view.stop()
    return view
