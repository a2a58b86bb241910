"""A video once more, for its person alone: as a fresh upload, or as a link."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.messages import describe, is_too_large
from bot.delivery.notation import megabytes
from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discord import ui

    from bot.delivery.shelf import Shelf
    from bot.library import Library
    from bot.links import Links
    from bot.media.workspace import Workspace
    from bot.model import Artifact, Job

log = logging.getLogger(__name__)

# Whatever Discord announces, it takes no more than 100 MiB a request.
_UPLOAD_CEILING = 95 * 1024 * 1024
_AT_ONCE = 4


class Resender:
    """Answers a press of "Send again"; a broken upload is tried again after `pauses` (seconds)."""

    def __init__(
        self,
        library: Library,
        shelf: Shelf,
        links: Links,
        workspace: Workspace,
        *,
        pauses: Sequence[float] = (1.0, 4.0),
    ) -> None:
        self._library = library
        self._shelf = shelf
        self._links = links
        self._workspace = workspace
        self._pauses = pauses
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def send(self, interaction: discord.Interaction, job_id: str) -> None:
        """Give the person their video.

        UserError: it is not theirs, or gone, or Discord does not take it.
        """
        with self._library.sending(interaction.user.id):
            job, artifact = await self._library.take(job_id, interaction.user.id)
            await interaction.response.defer(ephemeral=True, thinking=True)
            async with self._slots:
                await self._hand_over(interaction, job, artifact)
            await self._library.note_delivered(job.id)
        log.info("video.sent_again id=%s", job.id)

    async def _hand_over(
        self, interaction: discord.Interaction, job: Job, artifact: Artifact
    ) -> None:
        limit = min(interaction.filesize_limit, _UPLOAD_CEILING)
        if artifact.size <= limit and await self._upload(interaction, job):
            return
        if not self._links.possible:
            raise UserError(
                "library.too_large", size=megabytes(artifact.size), limit=megabytes(limit)
            )
        view = self._shelf.render_link(
            job, str(interaction.locale), artifact=artifact, url=self._links.make(job.id)
        )
        await self._edit(interaction, view)

    async def _upload(self, interaction: discord.Interaction, job: Job) -> bool:
        """Upload the video, and do so again when the connection breaks; False: it is too large."""
        filename = f"clapper-{job.id[:8]}.mp4"
        view = self._shelf.render_video(job, str(interaction.locale), filename=filename)
        for pause in (*self._pauses, None):
            try:
                await self._edit(interaction, view, await self._open(job, filename))
            except discord.HTTPException as error:
                if not is_too_large(error):
                    raise _unsent(job, error) from error
                log.warning("resend.too_large id=%s", job.id)
                return False
            except (aiohttp.ClientError, OSError) as error:
                if pause is None:
                    raise _unsent(job, error) from error
                await asyncio.sleep(pause)
            else:
                break
        return True

    async def _open(self, job: Job, filename: str) -> discord.File:
        try:
            path = self._workspace.video(job.id)
            return await asyncio.to_thread(discord.File, path, filename=filename)
        except FileNotFoundError as error:
            raise UserError("library.not_kept") from error

    async def _edit(
        self, interaction: discord.Interaction, view: ui.LayoutView, *files: discord.File
    ) -> None:
        await interaction.edit_original_response(
            view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none()
        )


def _unsent(job: Job, error: Exception) -> UserError:
    log.warning("resend.failed id=%s reason=%r", job.id, describe(error))
    return UserError("library.unsent")
