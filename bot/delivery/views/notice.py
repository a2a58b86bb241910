"""A sentence that replaces a card."""

from __future__ import annotations

from discord import ui


def render_notice(sentence: str) -> ui.LayoutView:
    """Render a sentence that replaces a card. The card's message can't have other contents."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(sentence))
    view.stop()
    return view
