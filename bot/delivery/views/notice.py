"""A sentence that replaces a card."""

from __future__ import annotations

from discord import ui


def render_notice(sentence: str) -> ui.LayoutView:
    """Render a sentence that replaces a card, whose message can have no other kind of content."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(sentence))
    view.stop()
    return view
