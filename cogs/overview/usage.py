"""The command `/usage`, which shows how much of each limit a person has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord_bot.replies import reply_privately
from cogs._orders import origin_of
from cogs.access.places import place_of

if TYPE_CHECKING:
    import discord

    from bot.discord_bot.bot import Services, VideoBot
    from bot.jobs.admission import Allowance
    from bot.jobs.costs.budgeting import MonthOfPerson
    from bot.texts import Texts


class UsageCommand:
    """Shows how much of each limit a person has used. Only that person sees the response."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def usage(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Show how much of each limit the person has used."""
        texts, locale = self._services.texts, str(interaction.locale)
        allowances = await self._services.jobs.allowances(
            origin_of(interaction), await place_of(interaction)
        )
        lines = [_line(texts, locale, each) for each in allowances]
        budgeting = self._services.budgeting
        if budgeting.has_costs and (budgeting.shows_prices or budgeting.has_person_budget):
            month = await self._services.budgeting.month_of(origin_of(interaction))
            lines.append(_cost_line(texts, locale, month))
        await reply_privately(interaction, "\n".join([texts("usage.heading", locale), *lines]))


def _line(texts: Texts, locale: str, allowance: Allowance) -> str:
    line = texts(
        f"usage.{allowance.key}",
        locale,
        used=allowance.used,
        limit=allowance.limit,
        left=max(0, allowance.limit - allowance.used),
    )
    if allowance.frees_at is None:
        return line
    return texts("usage.frees", locale, line=line, when=allowance.frees_at)


def _cost_line(texts: Texts, locale: str, month: MonthOfPerson) -> str:
    if month.budget is None:
        return texts("usage.spent", locale, spent=month.spent)
    fields = {"spent": month.spent, "budget": month.budget, "when": month.renewed_at}
    return texts("usage.spent_of", locale, **fields)


def setup(bot: VideoBot) -> None:
    """Add the command to the bot."""
    bot.tree.command(name="usage")(UsageCommand(bot.services).usage)
