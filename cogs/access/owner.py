"""The command `/clapper-owner`. With it, the bot's owner controls who may order in any server."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord import app_commands

from bot.discord_bot.owner.command_sync import OWNER_GROUP
from bot.discord_bot.replies import reply_privately
from bot.errors import UserError
from bot.jobs.costs.amounts import typed_amount
from bot.moderation.access.until import moment_of
from cogs.access._removal import RemovalButton, removal_view
from cogs.access._spending import show_spending
from cogs.access.channel_option import AnyChannel  # noqa: TC001 - discord.py reads the annotations
from cogs.access.commands import MAX_LIMIT, AccessCommands, LimitChoice, RuleChoice
from storage.access.pause import MAX_WORDS, Pause, is_words
from storage.access.settings import EVERYWHERE, Rule, Setting

if TYPE_CHECKING:
    from bot.discord_bot.bot import VideoBot

# An id, or a mention of a channel, a role or a person.
_ID = re.compile(r"(?:<(?:#|@&|@!?))?([1-9][0-9]{4,18})>?", re.ASCII)
_MAX_ID = 2**63 - 1
_AMOUNT_CHARACTERS = 12
_POST_SECONDS = 30
IdText = app_commands.Range[str, 1, 30]
UntilText = app_commands.Range[str, 1, 40]
Words = app_commands.Range[str, 1, MAX_WORDS]


class OwnerCommands(AccessCommands):
    """The settings that apply to every server.

    The commands are for the bot's owner or, if a team owns the bot, for the members of the team.

    Channels and roles are named by their ids, because they may be in other servers.
    """

    def add_to(self, group: app_commands.Group) -> None:
        """Add the commands to a group."""
        super().add_to(group)
        group.command()(self.channel)
        group.command()(self.role)
        group.command()(self.limit)
        group.command(name="block-server")(self.block_server)
        group.command(name="unblock-server")(self.unblock_server)
        group.command()(self.pause)
        group.command()(self.drain)
        group.command()(self.resume)
        group.command(name="log-channel")(self.log_channel)
        group.command()(self.spending)
        group.command()(self.grant)
        group.command(name="remove-person")(self.remove_person)

    async def _scope(self, interaction: discord.Interaction[VideoBot]) -> int:
        await self._services.owners.check(interaction)
        return EVERYWHERE

    async def channel(
        self, interaction: discord.Interaction[VideoBot], channel: IdText, rule: RuleChoice
    ) -> None:
        """Allow or refuse orders in a channel, a category or a thread."""
        await self._scope(interaction)
        await self._set_rule(interaction, Setting.CHANNEL, _id(channel), rule)

    async def role(
        self, interaction: discord.Interaction[VideoBot], role: IdText, rule: RuleChoice
    ) -> None:
        """Allow or refuse orders from people with a role."""
        await self._scope(interaction)
        await self._set_rule(interaction, Setting.ROLE, _id(role), rule)

    async def limit(
        self,
        interaction: discord.Interaction[VideoBot],
        videos: app_commands.Range[int, 0, MAX_LIMIT],
        of: LimitChoice | None = None,
        role: IdText | None = None,
    ) -> None:
        """Limit the number of videos in 24 hours.

        The limit is for each server, for each person, or for people with a role.
        """
        await self._scope(interaction)
        await self._set_limit(interaction, videos, of, None if role is None else _id(role))

    async def block_server(
        self, interaction: discord.Interaction[VideoBot], server: IdText
    ) -> None:
        """Refuse all orders from a server."""
        await self._scope(interaction)
        await self._set(interaction, Setting.SERVER, Rule.DENY, target=_id(server))

    async def unblock_server(
        self, interaction: discord.Interaction[VideoBot], server: IdText
    ) -> None:
        """Accept orders from a blocked server again."""
        await self._scope(interaction)
        await self._set(interaction, Setting.SERVER, None, target=_id(server))

    async def pause(
        self,
        interaction: discord.Interaction[VideoBot],
        words: Words,
        until: UntilText | None = None,
    ) -> None:
        """Refuse new orders. Jobs that were ordered before continue, including queued ones."""
        await self._pause(interaction, words, until, is_drain=False)

    async def drain(
        self,
        interaction: discord.Interaction[VideoBot],
        words: Words,
        until: UntilText | None = None,
    ) -> None:
        """Refuse new orders, and don't send queued jobs to the video service."""
        await self._pause(interaction, words, until, is_drain=True)

    async def resume(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Accept orders again."""
        await self._set(interaction, Setting.PAUSE, None)

    async def log_channel(
        self, interaction: discord.Interaction[VideoBot], channel: AnyChannel | None = None
    ) -> None:
        """Choose the channel to which orders and refusals are posted, or none."""
        await self._scope(interaction)
        if channel is None:
            await self._set(interaction, Setting.LOG_CHANNEL, None)
            return
        # Posting a message may take longer than Discord waits for a response, so respond first.
        await interaction.response.defer(ephemeral=True, thinking=True)
        begins = self._services.texts("log.begins")
        try:
            async with asyncio.timeout(_POST_SECONDS):
                await interaction.client.get_partial_messageable(channel.id).send(begins)
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UserError("owner.log_closed", channel=f"<#{channel.id}>") from error
        await self._set(interaction, Setting.LOG_CHANNEL, str(channel.id))

    async def spending(
        self,
        interaction: discord.Interaction[VideoBot],
        month: app_commands.Range[str, 7, 7] | None = None,
    ) -> None:
        """Show what was spent in a month, as a picture."""
        await self._scope(interaction)
        await show_spending(interaction, self._services.spending, month)

    async def grant(
        self,
        interaction: discord.Interaction[VideoBot],
        person: discord.User,
        amount: app_commands.Range[str, 1, _AMOUNT_CHARACTERS],
    ) -> None:
        """Let a person spend more in this month. `amount` is in US dollars."""
        await self._scope(interaction)
        if not interaction.client.arrivals.claim(interaction):
            return  # Discord has sent the interaction twice
        micros = typed_amount(amount)
        if micros is None:
            raise UserError("owner.amount")
        raised = await self._services.budgeting.grant(
            person.id,
            micros,
            # If Discord sends the interaction again, even after a restart, nothing more is granted.
            grant_id=f"interaction-{interaction.id}",
            actor=interaction.user.id,
        )
        said = self._services.texts(
            "owner.granted",
            str(interaction.locale),
            person=person.mention,
            budget=raised.budget,
            spent=raised.spent,
        )
        await reply_privately(interaction, said)

    async def remove_person(
        self, interaction: discord.Interaction[VideoBot], person: discord.User
    ) -> None:
        """Delete a person's videos and cards, after a confirmation."""
        await self._scope(interaction)
        view = removal_view(interaction, self._services)
        await interaction.response.send_message(
            view=view.question(person.id, owner_id=interaction.user.id),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def _pause(
        self,
        interaction: discord.Interaction[VideoBot],
        words: str,
        until: str | None,
        *,
        is_drain: bool,
    ) -> None:
        await self._scope(interaction)
        line = " ".join(words.split())
        if not is_words(line):
            raise UserError("owner.words", limit=MAX_WORDS)
        pause = Pause(words=line, until=self._moment(until), is_drain=is_drain)
        await self._set(interaction, Setting.PAUSE, str(pause))

    def _moment(self, text: str | None) -> int | None:
        try:
            return None if text is None else moment_of(text, now=self._services.clock(), zone=UTC)
        except ValueError as error:
            raise UserError("owner.until") from error


def _id(text: str) -> int:
    found = _ID.fullmatch(text.strip())
    if found is None or int(found[1]) > _MAX_ID:
        raise UserError("owner.not_an_id")
    return int(found[1])


def setup(bot: VideoBot) -> None:
    """Add the group of commands to the bot, for the servers that the operator has chosen.

    The template of its buttons is registered even if no server is chosen any more, so that the bot
    can explain why it refuses an old button.
    """
    servers = [discord.Object(server_id) for server_id in sorted(bot.services.owners.servers)]
    if servers:
        group = app_commands.Group(
            name=OWNER_GROUP,
            description="The settings of every server",
            # Discord shows the command to a server's administrators. The bot itself checks who
            # uses it.
            default_permissions=discord.Permissions(administrator=True),
        )
        OwnerCommands(bot.services).add_to(group)
        bot.tree.add_command(group, guilds=servers)
    bot.add_dynamic_items(RemovalButton)
