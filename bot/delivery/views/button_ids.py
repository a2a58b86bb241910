"""The ids and labels of a card's buttons; an id carries an action and a job, never a right."""

from __future__ import annotations

from enum import StrEnum

import discord


class Action(StrEnum):
    """What a button does."""

    CANCEL = "cancel"
    RETRY = "retry"  # of a create that nobody knows the answer to
    GIVE_UP = "give_up"
    AGAIN = "again"  # a new job, with the same prompt and narration
    EDIT = "edit"
    NARRATE = "narrate"
    ATTACH = "attach"  # a new job, with another file as the narration
    DELETE = "delete"


TEMPLATE = rf"clapper:(?P<action>{'|'.join(Action)}):(?P<job>[0-9a-f]{{32}})"

# The sentence on each button.
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
    Action.DELETE: discord.ButtonStyle.danger,
}


def make_button(
    action: Action, job_id: str, label: str, *, advised: bool = False
) -> discord.ui.Button[discord.ui.LayoutView]:
    """Return a plain button: what it does is registered by its template, not by the view.

    `advised` makes it stand out, as what most people will want next.
    """
    style = _STYLES.get(action, discord.ButtonStyle.secondary)
    return discord.ui.Button(
        style=discord.ButtonStyle.primary if advised else style,
        label=label,
        custom_id=f"clapper:{action}:{job_id}",
    )
