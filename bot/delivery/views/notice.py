"""Renders a card that shows only one sentence."""

from __future__ import annotations

from discord import ui


def render_notice(sentence: str) -> ui.LayoutView:
    """Render a card that shows only one sentence.

    Once a message has been a card, it can only contain components.
    """
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(sentence))
    view.stop()
    return view
