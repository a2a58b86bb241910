"""Renders messages without a video: a card with one sentence, and a panel of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOUR = discord.Colour.from_rgb(88, 101, 242)


def render_notice(sentence: str) -> ui.LayoutView:
    """Render a card that shows only one sentence.

    A message that was once a card can only contain components, and no plain text.
    """
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(sentence))
    view.stop()
    return view


def render_panel(lines: Iterable[str], *buttons: ui.Button[ui.LayoutView]) -> ui.LayoutView:
    """Render lines in a coloured box, with the buttons below them."""
    view = ui.LayoutView(timeout=None)
    container = ui.Container[ui.LayoutView](ui.TextDisplay("\n".join(lines)), accent_colour=_COLOUR)
    if buttons:
        container.add_item(ui.ActionRow(*buttons))
    view.add_item(container)
    view.stop()
    return view
