"""The bot: a discord.py client, with the services that its cogs use."""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord import app_commands

from bot.delivery.views.service_name import ServiceName
from bot.discord_bot.application_settings import portal_problems
from bot.discord_bot.audio_uploads import for_audio
from bot.discord_bot.callbacks import CallbackCounter
from bot.discord_bot.command_definitions import localise, tell_of_voices
from bot.discord_bot.command_sync import sync_commands
from bot.discord_bot.command_tree import CommandTree
from bot.discord_bot.gateway.skipped_events import SkippedEvents
from bot.discord_bot.interactions.arrivals import Arrivals
from bot.discord_bot.interactions.forms import Forms
from bot.discord_bot.interactions.unreadable_interactions import (
    HANDLED_TYPES,
    UnreadableInteraction,
    unreadable_interaction,
)
from bot.discord_bot.owner.command_sync import OWNER_GROUP, OwnerCommandSync
from bot.discord_bot.pending_orders import PendingOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.delivery.resend import Resender
    from bot.delivery.second_bot import SecondBotWatch
    from bot.delivery.spending.picture import SpendingPicture
    from bot.delivery.views.card import CardRenderer
    from bot.discord_bot.command_definitions import Definition
    from bot.discord_bot.memberships import MembershipFinder
    from bot.discord_bot.owner.rights import Owners
    from bot.jobs.costs.budgeting import Budgeting
    from bot.jobs.guiding.permissions import VoicePermissions
    from bot.jobs.service import JobService
    from bot.library.index import Library
    from bot.library.retention import Retention
    from bot.library.take_down import TakeDown
    from bot.media.files.workspace import Workspace
    from bot.moderation.access.gate import Gate
    from bot.moderation.access.refusals import RefusedOrders
    from bot.pacing import WatchedClock
    from bot.presets import Presets
    from bot.speech.kept_speeches import KeptSpeeches
    from bot.speech.narrator import Narrator
    from bot.texts import Texts
    from storage.access.audit import AuditStore
    from storage.access.owner_servers import OwnerServerStore
    from storage.access.settings import AccessSettingsStore
    from storage.jobs.queue_outlook import QueueOutlook
    from storage.people import PeopleStore
    from storage.sent_commands import SentCommandsStore

log = logging.getLogger(__name__)

#: Each module adds its commands, buttons and forms with its function `setup`.
COGS = (
    "cogs.video",
    "cogs.library",
    "cogs.preferences",
    "cogs.overview.usage",
    "cogs.overview.status",
    "cogs.overview.help",
    "cogs.server",
    "cogs.narration.video_button",
    "cogs._buttons",
    "cogs._forms",
    "cogs._voice_question",
    "cogs.access.owner",
)
_VOICE_COGS = ("cogs.narration.narrate",)
# Without this time-out, discord.py waits until a rate limit ends, even if that takes a day.
_SYNC_SECONDS = 60
# The seconds between attempts, about two days in total. After the last one, the bot doesn't try
# again until it is restarted.
_SYNC_PAUSES = (30, 60, 120, 300, 900, *(3600,) * 48)

# The permissions that the bot needs for its cards. README.md lists them too.
_PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """The services that cogs use.

    `narrator`: reads texts aloud, or None if the operator has not configured a voice.

    `count_answer` is called with the way in which an order was answered.
    """

    jobs: JobService
    budgeting: Budgeting
    spending: SpendingPicture
    cards: CardRenderer
    queue_outlook: QueueOutlook
    texts: Texts
    presets: Presets
    people: PeopleStore
    voice_permissions: VoicePermissions
    retention: Retention
    speeches: KeptSpeeches
    workspace: Workspace
    library: Library
    resender: Resender
    second_bot: SecondBotWatch
    gate: Gate
    access: AccessSettingsStore
    audit: AuditStore
    memberships: MembershipFinder
    owners: Owners
    refusals: RefusedOrders
    take_down: Callable[[discord.Client], TakeDown]
    owner_servers: OwnerServerStore
    sent_commands: SentCommandsStore
    clock: WatchedClock
    narrator: Narrator | None = None
    count_answer: Callable[[str], None] = lambda _way: None
    service_name: ServiceName = field(default_factory=ServiceName)


class VideoBot(discord.Client):
    """A bot without privileged intents. Its cogs use its `services`.

    discord.py's `commands.Bot` is not used: it adds only commands in messages, and takes 1.4 MiB.
    """

    def __init__(
        self,
        services: Services,
        trace: aiohttp.TraceConfig | None = None,
        *,
        count_skipped: Callable[[str], None] = lambda _event: None,
    ) -> None:
        self.services = services
        self._answers = set[asyncio.Task[None]]()
        self.forms = Forms()
        self._is_synced = self._is_invite_logged = False
        trace = trace or aiohttp.TraceConfig()
        self.callbacks = CallbackCounter(trace)
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=trace,
        )
        self.tree = CommandTree(
            self,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
        for name in COGS if services.narrator is None else (*COGS, *_VOICE_COGS):
            importlib.import_module(name).setup(self)
        self._skipped = SkippedEvents(count=count_skipped, answer=self._answer_unreadable)
        self._skipped.guard(self._connection.parsers)
        self.arrivals = Arrivals(services.clock.steady)
        self.arrivals.watch(self._connection.parsers)
        self.pending_orders = PendingOrders(services.clock.steady)

    async def setup_hook(self) -> None:
        """Warn of problems in the portal, and send the command definitions to Discord."""
        self._warn_of_portal_problems()
        self._is_synced = await self._try_sync()

    def _warn_of_portal_problems(self) -> None:
        application = self.application
        if application is None:
            return
        settings: Mapping[str, object] = {
            "interactions_endpoint_url": application.interactions_endpoint_url,
            "bot_require_code_grant": application.bot_require_code_grant,
            "bot_public": application.bot_public,
            "integration_types_config": application._integration_types_config,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the only way to tell a missing key
        }
        for problem in portal_problems(settings, self.services.gate.reach):
            log.warning("discord.portal found=%r advice=%r", problem.found, problem.advice)

    async def keep_commands_synced(self) -> None:
        """Send the command definitions again until Discord accepts them, then wait forever.

        The method never returns, because the supervisor treats a return as a failure.
        """
        for pause in _SYNC_PAUSES:
            if self._is_synced:
                break
            await asyncio.sleep(pause)
            self._is_synced = await self._try_sync()
        await asyncio.Event().wait()

    async def _try_sync(self) -> bool:
        try:
            async with asyncio.timeout(_SYNC_SECONDS):
                await self._sync_commands()
        except (discord.HTTPException, aiohttp.ClientError, OSError):
            # Meanwhile, Discord keeps the command definitions from an earlier start, and jobs
            # continue.
            log.exception("discord.commands_refused")
            return False
        except Exception:  # discord.py or the comparison can't read the response
            log.exception("discord.commands_unread")
            return False
        return True

    async def _sync_commands(self) -> None:
        """Send the command definitions to Discord if they have changed."""
        defined = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        await sync_commands(
            self.http,
            self.application_id or 0,
            self._localised(for_audio(defined)),
            sent=self.services.sent_commands,
        )
        await self._sync_owner_commands()

    def _localised(self, definitions: list[Definition]) -> list[Definition]:
        texts = self.services.texts
        localised = localise(definitions, texts)
        is_asked = self.services.voice_permissions.asked_service is not None
        return tell_of_voices(localised, texts) if is_asked else localised

    async def _sync_owner_commands(self) -> None:
        services, definition = self.services, None
        for server_id in services.owners.servers:
            group = self.tree.get_command(OWNER_GROUP, guild=discord.Object(server_id))
            if group is not None:
                [definition] = localise([group.to_dict(self.tree)], services.texts)
        sync = OwnerCommandSync(self.http, self.application_id or 0, services.owner_servers)
        await sync.sync(services.owners.servers, definition)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Offer the owner's commands in the server, if the operator has chosen this server."""
        if guild.id in self.services.owners.servers:
            self._is_synced = await self._try_sync()

    async def close(self) -> None:
        """Disconnect, even if discord.py is still loading the list of servers."""
        # discord.py would otherwise report that the bot is ready after the event loop was closed.
        waiting: asyncio.Task[None] | None = getattr(self._connection, "_ready_task", None)
        if waiting is not None:
            waiting.cancel()
        await super().close()

    async def on_frame_skipped(self, name: str, error: Exception) -> None:
        """Count a gateway frame that could not be handled."""
        self._skipped.record(name if name in self._connection.parsers else "OTHER", error)

    async def on_interaction(self, interaction: discord.Interaction[VideoBot]) -> None:
        """Handle a form. Respond to an interaction if discord.py does not know its type."""
        kind = interaction.type.value
        await self.forms.handle(interaction)
        if kind not in HANDLED_TYPES:
            self._skipped.record(f"INTERACTION_TYPE_{kind}"[:40], TypeError())
            unreadable = UnreadableInteraction(
                id=interaction.id,
                token=interaction.token,
                kind=kind,
                locale=str(interaction.locale),
            )
            await unreadable.answer(self, self.services.texts)

    def _answer_unreadable(self, data: object) -> None:
        """Start a task that responds to an interaction that discord.py could not parse."""
        if unreadable := unreadable_interaction(data):
            answer = asyncio.create_task(
                unreadable.answer(self, self.services.texts), name="unreadable interaction"
            )
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def on_ready(self) -> None:
        """Log that the bot is ready. If the bot is in no server, log its invitation link."""
        log.info("discord.ready user=%s guilds=%d", self.user, len(self.guilds))
        if self.guilds or not self.application_id:
            log.info("bot.running advice='type /video in Discord; Ctrl-C here stops the bot'")
        elif not self._is_invite_logged:  # Discord may report several times that the bot is ready
            self._is_invite_logged = True
            invite = discord.utils.oauth_url(self.application_id, permissions=_PERMISSIONS)
            log.warning("discord.no_server advice='open this to invite the bot: %s'", invite)
