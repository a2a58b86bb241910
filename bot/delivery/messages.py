"""Editing a job's one message: by the interaction's token while it lives, then as the bot."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

import aiohttp
import discord

from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.jobs import JobService
    from bot.model import Job

log = logging.getLogger(__name__)

# A request under way must not outlive the token.
_TOKEN_MARGIN_SECONDS = 60.0
_UNKNOWN_WEBHOOK = 10015
_TOKEN_DEAD = 50027
_TOO_LARGE = 40005
_HTTP_UNAUTHORIZED = 401
_HTTP_TOO_LARGE = 413
_HTTP_LATER = frozenset({408, 429})
_HTTP_SERVER_ERROR = 500


class MessageGoneError(Exception):
    """The message can't be reached any more: it, its channel, or the bot's right to it is gone."""


class FileTooLargeError(Exception):
    """Discord does not take a file of this size here."""


class Messages:
    """Finds and edits the messages of jobs.

    DeliveryError: Discord can't do it now.
    """

    def __init__(
        self, client: discord.Client, jobs: JobService, *, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._clock = clock

    async def find(self, job: Job) -> int | None:
        """Return the id of the card that answers an interaction, if any."""
        if not self._has_live_token(job):
            return None
        try:
            message = await self._webhook(job).fetch_message(cast("int", "@original"))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and not is_passing(error):
                return None
            raise DeliveryError(describe(error)) from error
        # A sentence about an error, posted in the card's place, can't be edited into a card.
        return message.id if message.flags.components_v2 else None

    async def edit(
        self,
        job: Job,
        view: discord.ui.LayoutView,
        open_files: Callable[[], Sequence[discord.File]] = tuple,
    ) -> None:
        """Replace the message by `view` and freshly opened files.

        MessageGoneError, FileTooLargeError: it will never work like this.
        """
        try:
            await self._edit(job, view, open_files)
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if isinstance(error, (discord.NotFound, discord.Forbidden)):
                raise MessageGoneError(describe(error)) from error
            if is_passing(error):
                raise DeliveryError(describe(error)) from error
            raise
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeliveryError(describe(error)) from error

    async def _edit(
        self,
        job: Job,
        view: discord.ui.LayoutView,
        open_files: Callable[[], Sequence[discord.File]],
    ) -> None:
        if self._has_live_token(job):
            try:
                await self._webhook(job).edit_message(
                    job.origin.message_id or 0,
                    view=view,
                    attachments=open_files(),
                    allowed_mentions=discord.AllowedMentions.none(),
                )
            except discord.HTTPException as error:
                if not _is_dead_token(error):
                    raise
                log.info("job.token_dead id=%s", job.id)
                await self._jobs.forget_token(job.id)
            else:
                return
        await self._own_message(job).edit(
            view=view,
            attachments=open_files(),
            allowed_mentions=discord.AllowedMentions.none(),
        )

    def _has_live_token(self, job: Job) -> bool:
        until = job.origin.token_until - _TOKEN_MARGIN_SECONDS
        return job.origin.token is not None and self._clock() < until

    def _webhook(self, job: Job) -> discord.Webhook:
        return discord.Webhook.partial(
            job.origin.application_id, job.origin.token or "", client=self._client
        )

    def _own_message(self, job: Job) -> discord.PartialMessage:
        channel = self._client.get_partial_messageable(
            job.origin.channel_id, guild_id=job.origin.guild_id
        )
        return channel.get_partial_message(job.origin.message_id or 0)


def _is_dead_token(error: discord.HTTPException) -> bool:
    return error.status == _HTTP_UNAUTHORIZED or error.code in {_TOKEN_DEAD, _UNKNOWN_WEBHOOK}


def is_too_large(error: discord.HTTPException) -> bool:
    """Tell whether a file was more than Discord takes."""
    return error.status == _HTTP_TOO_LARGE or error.code == _TOO_LARGE


def is_passing(error: discord.HTTPException) -> bool:
    """Tell whether the same request may work later."""
    return error.status >= _HTTP_SERVER_ERROR or error.status in _HTTP_LATER


def describe(error: Exception) -> str:
    """Put an error into words that hold no secret."""
    # Not str(error): aiohttp's name the URL, and the URL holds the token.
    if isinstance(error, discord.HTTPException):
        return f"Discord answered {error.status}, code {error.code}"
    return f"Discord could not be reached: {type(error).__name__}"
