"""The ids and labels of a card's buttons; an id carries an action and a job, never a right."""

from __future__ import annotations

from enum import StrEnum

import discord


class Action(StrEnum):
    """What a button does."""

    CANCEL = "cancel"
    RETRY = "retry"
    GIVE_UP = "give_up"


TEMPLATE = r"clapper:(?P<action>cancel|retry|give_up):(?P<job>[0-9a-f]{32})"

_STYLES = {
    Action.CANCEL: discord.ButtonStyle.secondary,
    Action.RETRY: discord.ButtonStyle.primary,
    Action.GIVE_UP: discord.ButtonStyle.danger,
}


def make_button(
    action: Action, job_id: str, label: str
) -> discord.ui.Button[discord.ui.LayoutView]:
    """Return a plain button: what it does is registered by its template, not by the view."""
    return discord.ui.Button(
        style=_STYLES[action], label=label, custom_id=f"clapper:{action}:{job_id}"
    )
