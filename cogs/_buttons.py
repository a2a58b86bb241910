"""Handles the buttons on cards.

Buttons are recognised by a template of their ids, so they also work after a restart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.delivery.views.button_ids import TEMPLATE, Action
from bot.discord_bot.replies import reply_privately
from cogs._dynamic_button import DynamicButton
from cogs._forms import open_form
from cogs._orders import place_again
from cogs._permissions import require_permission
from cogs.access.places import place_of

if TYPE_CHECKING:
    import re

    import discord
    from discord import ui

    from bot.discord_bot.bot import Services, VideoBot
    from bot.jobs.service import JobService


class CardButton(DynamicButton, template=TEMPLATE):
    """A button on a card. Its id contains the action and the job's id."""

    def __init__(self, item: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(item, match)
        self._action = Action(match["action"])
        self._job_id = match["job"]

    async def act(self, interaction: discord.Interaction[VideoBot], services: Services) -> None:
        """Check the person's permission, and perform the action or open its form."""
        job = require_permission(interaction, await services.jobs.get(self._job_id), self._action)
        match self._action:
            case Action.AGAIN:
                await place_again(interaction, job, job.request.prompt)
            case Action.EDIT | Action.NARRATE | Action.ATTACH | Action.DELETE:
                await open_form(interaction, job, self._action)
            case Action.CANCEL | Action.RETRY | Action.GIVE_UP:
                key = await self._change(interaction, services.jobs)
                await reply_privately(interaction, services.texts(key, str(interaction.locale)))

    async def _change(self, interaction: discord.Interaction[VideoBot], jobs: JobService) -> str:
        match self._action:
            case Action.RETRY:
                place = await place_of(interaction)
                done = await jobs.retry_undecided(self._job_id, place=place)
                key = "reply.retrying"
            case Action.GIVE_UP:
                done, key = await jobs.cancel_undecided(self._job_id), "reply.given_up"
            case _:
                done, key = await jobs.cancel(self._job_id), "reply.cancelled"
        return key if done is not None else "reply.too_late"


def setup(bot: VideoBot) -> None:
    """Register the template of the buttons with the bot."""
    bot.add_dynamic_items(CardButton)
