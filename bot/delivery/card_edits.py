"""Editing a job's one message: by the interaction's token while it lives, then as the bot."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.delivery.bot_requests import edit_message
from bot.delivery.interaction_token import ThrottledError
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.delivery.interaction_token import InteractionTokens
    from bot.jobs.service import JobService
    from bot.model import Job

log = logging.getLogger(__name__)

_UNKNOWN_WEBHOOK = 10015
_TOKEN_DEAD = 50027
_TOO_LARGE = 40005
_HTTP_UNAUTHORIZED = 401
_HTTP_FORBIDDEN = 403
_HTTP_TOO_LARGE = 413
_HTTP_LATER = frozenset({408, 429})
_HTTP_CLIENT_ERRORS = range(400, 500)
_REASON_CHARACTERS = 200


class MessageGoneError(Exception):
    """The message can't be reached any more: it, its channel, or the bot's right to it is gone."""


class EditRefusedError(MessageGoneError):
    """Discord will not take this edit, though the message may be there: its thread is archived."""


class FileTooLargeError(Exception):
    """Discord does not take a file of this size here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """An edit that replaces a job's message by `view` and by freshly opened files.

    `urgent`: the bot itself edits when the token takes no requests for a while.
    """

    job: Job
    view: discord.ui.LayoutView
    open_files: Callable[[], Sequence[discord.File]] = tuple
    urgent: bool = True


class CardEdits:
    """Finds and edits the messages of jobs.

    DeliveryError: Discord can't do it now.
    """

    def __init__(self, client: discord.Client, jobs: JobService, tokens: InteractionTokens) -> None:
        self._client = client
        self._jobs = jobs
        self._tokens = tokens
        self._by_bot: set[str] = set()

    async def find(self, job: Job) -> int | None:
        """Return the id of the card that answers an interaction, if any."""
        if not self._tokens.is_valid(job):
            return None
        try:
            message = await self._tokens.fetch_answer(job)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and not is_passing(error):
                return None
            raise DeliveryError(describe(error)) from error
        # A sentence about an error, posted in the card's place, can't be edited into a card.
        return message.id if message.flags.components_v2 else None

    async def edit(self, edit: Edit) -> None:
        """Make an edit; MessageGoneError, FileTooLargeError: it will never work like this."""
        try:
            await self._edit(edit)
        except discord.HTTPException as error:
            if is_too_large(error):
                raise FileTooLargeError from error
            if not is_final(error):
                raise DeliveryError(describe(error)) from error
            if isinstance(error, (discord.NotFound, discord.Forbidden)):
                raise MessageGoneError(describe(error)) from error
            reason = f"{describe(error)}: {error.text[:_REASON_CHARACTERS]}"
            log.warning("card.edit_refused id=%s reason=%r", edit.job.id, reason)
            raise EditRefusedError(describe(error)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeliveryError(describe(error)) from error

    def is_unanswered(self, job: Job) -> bool:
        """Tell whether an edit of the message may be with Discord now."""
        # Of its own requests discord.py does not tell which only wait to be repeated.
        return self._tokens.is_unanswered(job) or job.id in self._by_bot

    def avoid_token(self, job: Job) -> None:
        """Let the bot itself make the next edits, if it can: something holds the token up."""
        if job.origin.by_bot:
            self._tokens.pause(job)

    async def _edit(self, edit: Edit) -> None:
        job = edit.job
        if not self._tokens.is_valid(job):
            await self._edit_as_bot(edit)
            return
        try:
            await self._tokens.edit(edit)
        except ThrottledError as error:
            if not (edit.urgent and job.origin.by_bot):
                raise
            await self._fall_back_to_bot(edit, error)
        except discord.HTTPException as error:
            if not _is_dead_token(error):
                raise
            log.info("job.token_dead id=%s", job.id)
            await self._jobs.forget_token(job.id)
            await self._edit_as_bot(edit)

    async def _fall_back_to_bot(self, edit: Edit, throttled: ThrottledError) -> None:
        try:
            await self._edit_as_bot(edit)
        except discord.HTTPException as error:
            if is_too_large(error) or not is_final(error):
                raise
            # The token may still reach what the bot does not: it is tried when it is free again.
            raise throttled from None

    async def _edit_as_bot(self, edit: Edit) -> None:
        job, origin = edit.job, edit.job.origin
        if not origin.by_bot:
            raise MessageGoneError("the token is over, and the bot itself is not there")
        channel = self._client.get_partial_messageable(origin.channel_id, guild_id=origin.guild_id)
        self._by_bot.add(job.id)
        try:
            message = channel.get_partial_message(origin.message_id or 0)
            await edit_message(self._client, message, edit.view, edit.open_files())
        finally:
            self._by_bot.discard(job.id)


def _is_dead_token(error: discord.HTTPException) -> bool:
    return error.status == _HTTP_UNAUTHORIZED or error.code in {_TOKEN_DEAD, _UNKNOWN_WEBHOOK}


def is_too_large(error: discord.HTTPException) -> bool:
    """Tell whether a file was more than Discord takes."""
    return error.status == _HTTP_TOO_LARGE or error.code == _TOO_LARGE


def is_passing(error: discord.HTTPException) -> bool:
    """Tell whether the same request may work later."""
    # What refuses without a code of Discord's stands before it.
    before_discord = error.status == _HTTP_FORBIDDEN and not error.code
    return error.status not in _HTTP_CLIENT_ERRORS or error.status in _HTTP_LATER or before_discord


def is_final(error: discord.HTTPException) -> bool:
    """Tell whether the bot will be refused the same request for ever."""
    # The bot's own token is the operator's to mend.
    return not is_passing(error) and error.status != _HTTP_UNAUTHORIZED


def describe(error: Exception) -> str:
    """Put an error into words that hold no secret."""
    # Not str(error): aiohttp's name the URL, and the URL holds the token.
    if isinstance(error, discord.HTTPException):
        return f"Discord answered {error.status}, code {error.code}"
    return f"Discord could not be reached: {type(error).__name__}"
