"""Sends a video again to its requester alone: as a new upload, or as a link."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.card_edits import FileTooLargeError, describe, is_too_large
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.formatting import megabytes
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discord import ui

    from bot.artifacts import Artifact
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.library_view import LibraryView
    from bot.library.index import Library
    from bot.links import Links
    from bot.model import Job

log = logging.getLogger(__name__)

_CONCURRENT_UPLOADS = 4
# An interaction's token expires after 15 minutes.
_TIMEOUT_SECONDS = 840.0


class Resender:
    """Answers the button "Send again".

    `pauses`: seconds to wait before each repetition of a failed upload.
    """

    def __init__(
        self,
        *,
        library: Library,
        library_view: LibraryView,
        upload_fallback: UploadFallback,
        links: Links,
        pauses: Sequence[float] = (1.0, 4.0),
    ) -> None:
        self._library = library
        self._library_view = library_view
        self._upload_fallback = upload_fallback
        self._links = links
        self._pauses = pauses
        self._slots = asyncio.Semaphore(_CONCURRENT_UPLOADS)

    async def send(self, interaction: discord.Interaction, job_id: str) -> None:
        """Send a video to the person who pressed the button.

        UserError: it is not theirs, it is no longer kept, or Discord refuses it.
        """
        with self._library.send_lock(interaction.user.id):
            job, artifact = await self._library.take(job_id, interaction.user.id)
            await interaction.response.defer(ephemeral=True, thinking=True)
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS), self._slots:
                    await self._hand_over(interaction, job, artifact)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("resend.failed id=%s reason=%r", job.id, describe(error))
                raise UserError("library.unsent") from error
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
            await self._upload(interaction, view, file)

        if await self._upload_fallback.upload(artifact, target, upload, _keep_thinking):
            return
        if link is None:
            limit = await self._upload_fallback.limit(target)
            raise UserError(
                "library.too_large", size=megabytes(artifact.size), limit=megabytes(limit)
            )
        await _edit(
            interaction, self._library_view.render_link(job, locale, artifact=artifact, url=link)
        )

    async def _upload(
        self, interaction: discord.Interaction, view: ui.LayoutView, file: UploadFile
    ) -> None:
        """Upload a file, and repeat the upload when the connection breaks."""
        for pause in (*self._pauses, None):
            try:
                await _edit(interaction, view, await _open(file))
            except discord.HTTPException as error:
                if is_too_large(error):
                    raise FileTooLargeError from error
                raise
            except (aiohttp.ClientError, OSError):
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return


async def _open(file: UploadFile) -> discord.File:
    try:
        return await asyncio.to_thread(file.open)
    except FileNotFoundError as error:
        raise UserError("library.not_kept") from error


async def _edit(
    interaction: discord.Interaction, view: ui.LayoutView, *files: discord.File
) -> None:
    await interaction.edit_original_response(
        view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none()
    )


async def _keep_thinking() -> None:
    """Do nothing while a copy is made: Discord already shows "thinking"."""
