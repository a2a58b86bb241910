"""What a card's buttons do; registered by template, so that they outlive restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.client import answer, answer_error
from bot.delivery.buttons import TEMPLATE, Action

if TYPE_CHECKING:
    import re
    from typing import Self

    from bot.client import VideoBot


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
        try:
            await self._act(interaction)
        except Exception as error:  # noqa: BLE001 - the edge: discord.py would only log it
            await answer_error(interaction, error)

    async def _act(self, interaction: discord.Interaction[VideoBot]) -> None:
        services = interaction.client.services
        job = await services.jobs.get(self._job_id)
        if job is None or not self._may_press(interaction, job.origin.user_id):
            key = "reply.not_yours" if job else "reply.too_late"
        else:
            key = await self._change(interaction)
        await answer(interaction, services.texts(key, str(interaction.locale)))

    def _may_press(self, interaction: discord.Interaction[VideoBot], owner_id: int) -> bool:
        if interaction.user.id == owner_id:
            return True
        # A moderator may stop what stands in the channel, but not spend somebody's money.
        may_manage = interaction.permissions.manage_messages
        return may_manage and self._action is Action.CANCEL

    async def _change(self, interaction: discord.Interaction[VideoBot]) -> str:
        jobs = interaction.client.services.jobs
        match self._action:
            case Action.CANCEL:
                done, key = await jobs.cancel(self._job_id), "reply.cancelled"
            case Action.GIVE_UP:
                done, key = await jobs.give_up(self._job_id), "reply.given_up"
            case Action.RETRY:
                done, key = await jobs.retry_undecided(self._job_id), "reply.retrying"
        return key if done is not None else "reply.too_late"


async def setup(bot: VideoBot) -> None:
    """Register the template."""
    bot.add_dynamic_items(CardButton)
