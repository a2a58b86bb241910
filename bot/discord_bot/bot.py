"""VideoBot: the connection to Discord, and where cogs find what they work with."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from discord.http import Route

from bot.discord_bot.command_definitions import are_alike, localise
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.delivery.resend import Resender
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.service import JobService
    from bot.library.index import Library
    from bot.library.retention import Retention
    from bot.media.files.workspace import Workspace
    from bot.presets import Presets
    from bot.speech.narrator import Narrator
    from bot.texts import Texts
    from storage.jobs.queue_outlook import QueueOutlook
    from storage.people import PeopleStore

log = logging.getLogger(__name__)

_EXTENSIONS = ("cogs.video", "cogs.library", "cogs.preferences", "cogs._buttons", "cogs._forms")
_WITH_A_VOICE = ("cogs.narrate",)
# discord.py itself would wait out a limit of a day.
_COMMANDS_SECONDS = 60
# About two days; then it is for the next start.
_OFFER_PAUSES = (30, 60, 120, 300, 900, *(3600,) * 48)


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What cogs need; without a `narrator` no texts are spoken."""

    jobs: JobService
    cards: CardRenderer
    queue_outlook: QueueOutlook
    texts: Texts
    presets: Presets
    people: PeopleStore
    retention: Retention
    workspace: Workspace
    library: Library
    resender: Resender
    narrator: Narrator | None = None


class VideoBot(commands.Bot):
    """A bot without privileged intents, whose cogs work with its `services`."""

    def __init__(self, services: Services, trace: aiohttp.TraceConfig | None = None) -> None:
        self.services = services
        self._offered = False
        traced: dict[str, Any] = {"http_trace": trace} if trace else {}
        super().__init__(
            command_prefix=commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            help_command=None,
            **traced,
            tree_cls=CommandTree,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )

    async def setup_hook(self) -> None:
        """Load what people type and press, and tell Discord of it."""
        more = _WITH_A_VOICE if self.services.narrator else ()
        for extension in (*_EXTENSIONS, *more):
            await self.load_extension(extension)
        self._offered = await self._try_to_offer()

    async def keep_offering(self) -> None:
        """Offer the commands again until Discord has taken them; then rest, and never return."""
        for pause in _OFFER_PAUSES:
            if self._offered:
                break
            await asyncio.sleep(pause)
            self._offered = await self._try_to_offer()
        await asyncio.Event().wait()

    async def _try_to_offer(self) -> bool:
        try:
            async with asyncio.timeout(_COMMANDS_SECONDS):
                await self._offer_commands()
        except (discord.HTTPException, aiohttp.ClientError, OSError):
            # What people have asked for goes on, and most have the commands of the last start.
            log.exception("discord.commands_refused")
            return False
        return True

    async def _offer_commands(self) -> None:
        """Tell Discord of the commands, unless it has them just so."""
        application = self.application_id or 0
        route = Route("GET", "/applications/{application_id}/commands", application_id=application)
        found = await self.http.request(route, params={"with_localizations": "true"})
        wanted = localise(
            [command.to_dict(self.tree) for command in self.tree.get_commands()],
            self.services.texts,
        )
        if are_alike(found, wanted):
            log.info("discord.commands_unchanged commands=%d", len(wanted))
            return
        await self.http.bulk_upsert_global_commands(application, payload=wanted)
        log.info("discord.commands_synced commands=%d", len(wanted))

    async def close(self) -> None:
        """Disconnect, also while servers are still coming in."""
        # discord.py would say afterwards that it is ready, on a loop that it has let go of.
        waiting: asyncio.Task[None] | None = getattr(self._connection, "_ready_task", None)
        if waiting is not None:
            waiting.cancel()
        await super().close()

    async def on_ready(self) -> None:
        """Say that people can be served now."""
        log.info("discord.ready user=%s guilds=%d", self.user, len(self.guilds))


class CommandTree(app_commands.CommandTree[VideoBot]):
    """The edge of all commands: what goes wrong is answered, and a bug is logged once."""

    async def on_error(
        self, interaction: discord.Interaction[VideoBot], error: app_commands.AppCommandError
    ) -> None:
        """Answer the person."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await answer_error(interaction, cause)


async def answer_error(interaction: discord.Interaction[VideoBot], error: Exception) -> None:
    """Say to the person, and to nobody else, what went wrong."""
    texts = interaction.client.services.texts
    locale = str(interaction.locale)
    if isinstance(error, UserError):
        sentence = texts(error.key, locale, **error.fields)
    else:
        log.error("interaction.failed id=%d", interaction.id, exc_info=error)
        sentence = texts("error.internal", locale, incident=str(interaction.id))
    await answer(interaction, sentence)


async def answer(interaction: discord.Interaction[VideoBot], sentence: str) -> None:
    """Answer with a sentence that only the person sees; one who is gone is no error.

    It takes the place of "thinking". Whoever was answered already sees that: a follow-up's POST is
    one that discord.py repeats.
    """
    try:
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(content=sentence)
        elif not interaction.response.is_done():
            await interaction.response.send_message(sentence, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("interaction.unanswered id=%d error=%s", interaction.id, type(error).__name__)
