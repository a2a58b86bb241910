"""Defines the ids and labels of the buttons on cards.

An id contains an action and a job's id. Knowing an id grants no permission.
"""

from __future__ import annotations

from enum import StrEnum

import discord


class Action(StrEnum):
    """The action that a button on a card starts."""

    CANCEL = "cancel"
    RETRY = "retry"  # submits an undecided job again
    GIVE_UP = "give_up"
    AGAIN = "again"  # makes a new job with the same prompt and narration
    EDIT = "edit"
    NARRATE = "narrate"
    ATTACH = "attach"  # makes a new job with another narration
    DELETE = "delete"


TEMPLATE = rf"clapper:(?P<action>{'|'.join(Action)}):(?P<job>[0-9a-f]{{32}})"

# The locale key of each button's label.
LABELS = {
    Action.CANCEL: "button.cancel",
    Action.RETRY: "button.retry",
    Action.GIVE_UP: "button.give_up",
    Action.AGAIN: "button.again",
    Action.EDIT: "button.edit",
    Action.NARRATE: "button.narrate",
    Action.ATTACH: "button.attach",
    Action.DELETE: "button.delete",
}

_STYLES = {
    Action.RETRY: discord.ButtonStyle.primary,
    Action.GIVE_UP: discord.ButtonStyle.danger,
}


def make_button(
    action: Action, job_id: str, label: str, *, highlighted: bool = False
) -> discord.ui.Button[discord.ui.LayoutView]:
    """Return a button without a callback. The cogs recognise its id, and handle the click."""
    style = _STYLES.get(action, discord.ButtonStyle.secondary)
    return discord.ui.Button(
        style=discord.ButtonStyle.primary if highlighted else style,
        label=label,
        custom_id=f"clapper:{action}:{job_id}",
    )
