"""What a card's buttons do; registered by template, so that they outlive restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.delivery.views.button_ids import TEMPLATE, Action
from bot.discord_bot.bot import answer
from cogs._errors import answering
from cogs._forms import open_form
from cogs._orders import place_again
from cogs._permissions import allowed

if TYPE_CHECKING:
    import re
    from typing import Self

    from bot.discord_bot.bot import VideoBot
    from bot.jobs.service import JobService


class CardButton(ui.DynamicItem[ui.Button[Any]], template=TEMPLATE):
    """Any button of any card; the id says which."""

    def __init__(self, item: ui.Button[Any], action: Action, job_id: str) -> None:
        super().__init__(item)
        self._action = action
        self._job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Rebuild the button that was pressed."""
        assert isinstance(item, ui.Button)  # noqa: S101 - the template is only on buttons
        return cls(item, Action(match["action"]), match["job"])

    async def callback(self, interaction: discord.Interaction[VideoBot]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - narrower than any client
        """Do what the button says, or say why not."""
        async with answering(interaction):
            await self._act(interaction)

    async def _act(self, interaction: discord.Interaction[VideoBot]) -> None:
        services = interaction.client.services
        job = allowed(interaction, await services.jobs.get(self._job_id), self._action)
        match self._action:
            case Action.AGAIN:
                await place_again(interaction, job, job.request.prompt)
            case Action.EDIT | Action.NARRATE | Action.ATTACH | Action.DELETE:
                await open_form(interaction, job, self._action)
            case Action.CANCEL | Action.RETRY | Action.GIVE_UP:
                key = await self._change(services.jobs)
                await answer(interaction, services.texts(key, str(interaction.locale)))

    async def _change(self, jobs: JobService) -> str:
        match self._action:
            case Action.RETRY:
                done, key = await jobs.retry_undecided(self._job_id), "reply.retrying"
            case Action.GIVE_UP:
                done, key = await jobs.give_up(self._job_id), "reply.given_up"
            case _:
                done, key = await jobs.cancel(self._job_id), "reply.cancelled"
        return key if done is not None else "reply.too_late"


async def setup(bot: VideoBot) -> None:
    """Register the template."""
    bot.add_dynamic_items(CardButton)
