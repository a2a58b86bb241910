"""Sends a finished video to its requester again, as a file or as a link."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.card_edits import (
    FileTooLargeError,
    describe,
    is_final,
    is_too_large,
    is_transient,
)
from bot.delivery.interaction_token import edit_message_at, webhook_message_route
from bot.delivery.requests.route_limits import ThrottledError
from bot.delivery.server_rules import is_blocked_by_server
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.formatting import over_limit
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discord import ui

    from bot.artifacts import Artifact
    from bot.delivery.requests.discord_requests import DiscordRequests
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.library_view import LibraryView
    from bot.library.index import Library
    from bot.links import Links
    from bot.model import Job

log = logging.getLogger(__name__)

_CONCURRENT_UPLOADS = 4
# The token of an interaction expires after 15 minutes. This is a minute less.
_TIMEOUT_SECONDS = 840.0


class Resender:
    """Handles the button "Send again".

    `pauses`: the seconds to wait before each retry of a failed upload.
    """

    def __init__(
        self,
        *,
        library: Library,
        library_view: LibraryView,
        upload_fallback: UploadFallback,
        links: Links,
        requests: DiscordRequests,
        pauses: Sequence[float] = (1.0, 4.0),
    ) -> None:
        self._library = library
        self._library_view = library_view
        self._upload_fallback = upload_fallback
        self._links = links
        self._requests = requests
        self._pauses = pauses
        self._slots = asyncio.Semaphore(_CONCURRENT_UPLOADS)

    async def send(self, interaction: discord.Interaction, job_id: str) -> None:
        """Send a video to the person who pressed the button.

        Raises UserError if the video isn't theirs, is no longer kept, or is refused by Discord.
        """
        with self._library.send_lock(interaction.user.id):
            job, artifact = await self._library.get_video(job_id, interaction.user.id)
            await interaction.response.defer(ephemeral=True, thinking=True)
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    await self._hand_over(interaction, job, artifact)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("resend.failed id=%s reason=%r", job.id, describe(error))
                blocked = is_blocked_by_server(error)
                raise UserError("reply.automod" if blocked else "library.unsent") from error
            await self._library.mark_delivered(job.id)
        log.info("video.sent_again id=%s", job.id)

    async def _hand_over(
        self, interaction: discord.Interaction, job: Job, artifact: Artifact
    ) -> None:
        locale = str(interaction.locale)
        link = self._links.make(job.id) if self._links.enabled else None
        target = UploadTarget(
            guild_id=interaction.guild_id or 0, announced=interaction.filesize_limit
        )

        async def upload(file: UploadFile) -> None:
            view = self._library_view.render_video(
                job,
                locale,
                filename=file.filename,
                note=file.note,
                original=link if file.note else None,
            )
            await self._edit(interaction, view, file)

        try:
            if await self._upload_fallback.upload(artifact, target, upload, _keep_thinking):
                return
        except discord.HTTPException as error:
            # Discord may accept a link even if it refuses files.
            if link is None or not is_final(error):
                raise
            log.warning("resend.file_refused id=%s reason=%r", job.id, describe(error))
        if link is None:
            limit = await self._upload_fallback.limit(target)
            key = "library.too_large" if artifact.size > limit else "library.too_large_here"
            raise UserError(key, **over_limit(artifact.size, limit))
        await self._edit(
            interaction, self._library_view.render_link(job, locale, artifact=artifact, url=link)
        )

    async def _edit(
        self, interaction: discord.Interaction, view: ui.LayoutView, *files: UploadFile
    ) -> None:
        """Edit the response, and retry after connection errors and errors of Discord's servers."""
        for pause in (*self._pauses, None):
            try:
                await self._edit_when_open(interaction, view, *files)
            except discord.HTTPException as error:
                if is_too_large(error):
                    raise FileTooLargeError from error
                if pause is None or not is_transient(error):
                    raise
                await asyncio.sleep(pause)
            except (aiohttp.ClientError, OSError):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _edit_when_open(
        self, interaction: discord.Interaction, view: ui.LayoutView, *files: UploadFile
    ) -> None:
        """Edit the response. If Discord's rate limit is reached, wait first.

        An upload slot is only occupied during the request itself, not during the wait.
        """
        route = webhook_message_route(
            "PATCH", interaction.application_id, interaction.token, "@original"
        )
        while True:
            opened = [await _open(file) for file in files]
            try:
                async with self._slots:
                    await edit_message_at(self._requests, route, view, opened)
            except ThrottledError as error:
                await asyncio.sleep(error.seconds)
            else:
                return
            finally:
                for file in opened:
                    file.close()


async def _open(file: UploadFile) -> discord.File:
    try:
        return await asyncio.to_thread(file.open)
    except FileNotFoundError as error:
        raise UserError("library.not_kept") from error


async def _keep_thinking() -> None:
    """Do nothing. While a copy is made, Discord already shows that the bot is "thinking"."""
