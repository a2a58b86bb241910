"""Edits a job's card: with the interaction's token while it is valid, then with the bot's token."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import discord

from bot.delivery.requests.route_limits import ThrottledError
from bot.delivery.views.button_ids import TEMPLATE
from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.delivery.interaction_token import InteractionTokens
    from bot.delivery.requests.bot_requests import BotRequests
    from bot.delivery.second_bot import SecondBotWatch
    from bot.jobs.changes.card_records import CardRecords
    from bot.jobs.service import JobService
    from bot.model import Job

log = logging.getLogger(__name__)

_UNKNOWN_MESSAGE = 10008
_UNKNOWN_WEBHOOK = 10015
_INVALID_TOKEN = 50027
_TOO_LARGE = 40005
_MISSING_ACCESS = 50001
_HTTP_UNAUTHORIZED = 401
_HTTP_TOO_LARGE = 413
_HTTP_TRANSIENT = frozenset({408, 429})
# These are rate limits on edits of old messages and on writes to a channel. Both are temporary.
_TRANSIENT = frozenset({20028, 30046})
# A response with one of these statuses but no Discord error code is from a proxy, not from Discord.
_NOT_FROM_DISCORD = frozenset({403, 404})
_HTTP_CLIENT_ERRORS = range(400, 500)
_REASON_CHARACTERS = 200


class MessageGoneError(Exception):
    """The message was deleted, or the bot has lost access to it or to its channel."""


class EditRefusedError(MessageGoneError):
    """Discord refuses this edit, but the message may still exist.

    Discord may accept a different edit. For example, the bot may not be allowed to attach files,
    but may still be able to edit the text.
    """


class FileTooLargeError(Exception):
    """Discord does not accept a file this large in this channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """An edit that replaces a card's content with `view` and the files from `open_files`.

    `urgent`: whether to use the bot's own token, instead of waiting, if the interaction's token is
    rate-limited.
    """

    job: Job
    view: discord.ui.LayoutView
    open_files: Callable[[], Sequence[discord.File]] = tuple
    urgent: bool = True

    @property
    def has_files(self) -> bool:
        """Whether the edit uploads files."""
        return self.open_files is not tuple


class CardEdits:
    """Finds and edits the cards of jobs.

    Its methods raise DeliveryError if the same request may succeed later.
    """

    def __init__(
        self,
        *,
        bot_requests: BotRequests,
        tokens: InteractionTokens,
        jobs: JobService,
        card_records: CardRecords,
        second_bot: SecondBotWatch,
    ) -> None:
        self._bot_requests = bot_requests
        self._tokens = tokens
        self._jobs = jobs
        self._card_records = card_records
        self._second_bot = second_bot
        self._edited_as_bot: set[str] = set()

    async def find(self, job: Job) -> int | None:
        """Return the id of the job's card, if it is the message that answered the interaction.

        Another process with the same bot token may have answered the interaction with its own card.
        The job ids in the buttons of a card show which job the card belongs to.
        """
        if not self._tokens.is_valid(job):
            return None
        try:
            message = await self._tokens.fetch_original_response(job)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and not is_transient(error):
                return None
            raise as_delivery_error(error) from error
        job_ids = set(_job_ids(message))
        if job.id in job_ids:
            return int(message["id"])
        # An answer without job ids is an error message that was posted instead of the card.
        if job_ids:
            await self._second_bot.record(job.origin.application_id, job.origin.interaction_id)
            await self._jobs.fail(job, "failed.second_bot")
        return None

    async def edit(self, edit: Edit) -> None:
        """Apply an edit.

        Raises MessageGoneError or FileTooLargeError if this edit will never succeed.
        """
        try:
            await self._edit(edit)
        except discord.HTTPException as error:
            if is_too_large(error) and edit.has_files:
                raise FileTooLargeError from error
            if not is_final(error):
                raise as_delivery_error(error) from error
            if isinstance(error, discord.NotFound):
                raise MessageGoneError(describe(error)) from error
            reason = f"{describe(error)}: {error.text[:_REASON_CHARACTERS]}"
            log.warning("card.edit_refused id=%s reason=%r", edit.job.id, reason)
            raise EditRefusedError(describe(error)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise as_delivery_error(error) from error

    def is_unanswered(self, job: Job) -> bool:
        """Tell whether an edit of the card was sent to Discord and has no response yet."""
        return self._tokens.is_unanswered(job) or job.id in self._edited_as_bot

    def pause_token(self, job: Job) -> None:
        """Pause the token of the job's interaction, so that the next edits use the bot's own token.

        Does nothing if the bot itself can't edit the card.
        """
        if job.origin.bot_can_edit:
            self._tokens.pause(job)

    async def _edit(self, edit: Edit) -> None:
        job = edit.job
        if not self._tokens.is_valid(job):
            await self._edit_as_bot(edit)
            return
        if job.origin.bot_access_unproven and not edit.urgent and await self._edit_on_trial(edit):
            return
        try:
            await self._tokens.edit(job, edit.view, edit.open_files)
        except ThrottledError as error:
            if not (edit.urgent and job.origin.bot_can_edit):
                raise
            await self._fall_back_to_bot(edit, error)
        except discord.HTTPException as error:
            if not _is_invalid_token(error):
                raise
            log.info("job.token_dead id=%s", job.id)
            await self._card_records.delete_token(job.id)
            await self._edit_as_bot(edit)

    async def _edit_on_trial(self, edit: Edit) -> bool:
        """Try an edit with the bot's own token, and record whether the bot can edit the card.

        Returns False if the edit failed.
        """
        try:
            await self._edit_as_bot(edit)
        except MessageGoneError:
            await self._card_records.prove_bot_access(edit.job.id, bot_can_edit=False)
            return False
        except discord.HTTPException as error:
            if error.code == _UNKNOWN_MESSAGE:
                raise
            if is_final(error):
                await self._card_records.prove_bot_access(edit.job.id, bot_can_edit=False)
            return False
        except (aiohttp.ClientError, OSError, TimeoutError):
            # a connection error proves nothing about access, so the next edit tries again
            return False
        await self._card_records.prove_bot_access(edit.job.id, bot_can_edit=True)
        return True

    async def _fall_back_to_bot(self, edit: Edit, throttled: ThrottledError) -> None:
        try:
            await self._edit_as_bot(edit)
        except ThrottledError as error:
            # Both ways are rate-limited. Report the shorter wait, so that the retry is not later
            # than needed.
            raise min(error, throttled, key=lambda each: each.seconds) from None
        except discord.HTTPException as error:
            if is_too_large(error) or not is_final(error):
                raise
            # The interaction's token may have access that the bot lacks. Retry with the token once
            # its rate limit has ended.
            raise throttled from None
        except MessageGoneError:
            raise throttled from None

    async def _edit_as_bot(self, edit: Edit) -> None:
        job, origin = edit.job, edit.job.origin
        if not origin.bot_can_edit:
            raise MessageGoneError("the token has expired, and the bot itself has no access")
        self._edited_as_bot.add(job.id)
        try:
            await self._bot_requests.edit(
                origin.channel_id, origin.message_id or 0, edit.view, edit.open_files()
            )
        except discord.Forbidden as error:
            if error.code != _MISSING_ACCESS:
                raise
            raise MessageGoneError(describe(error)) from error
        finally:
            self._edited_as_bot.discard(job.id)


def _is_invalid_token(error: discord.HTTPException) -> bool:
    return error.status == _HTTP_UNAUTHORIZED or error.code in {_INVALID_TOKEN, _UNKNOWN_WEBHOOK}


def is_too_large(error: discord.HTTPException) -> bool:
    """Tell whether Discord refused the request because a file is too large."""
    return error.status == _HTTP_TOO_LARGE or error.code == _TOO_LARGE


def is_transient(error: discord.HTTPException) -> bool:
    """Tell whether a request that failed with `error` may succeed later."""
    before_discord = error.status in _NOT_FROM_DISCORD and not error.code
    ends = error.status in _HTTP_TRANSIENT or error.code in _TRANSIENT
    return error.status not in _HTTP_CLIENT_ERRORS or ends or before_discord


def is_final(error: discord.HTTPException) -> bool:
    """Tell whether Discord would also refuse a repetition of the request that raised `error`."""
    # A 401 is not final, because the operator can replace an invalid bot token.
    return not is_transient(error) and error.status != _HTTP_UNAUTHORIZED


def as_delivery_error(error: Exception) -> DeliveryError:
    """Convert an error to a DeliveryError, which makes the worker retry the step."""
    seconds = error.seconds if isinstance(error, ThrottledError) else None
    return DeliveryError(describe(error), retry_after=seconds)


def describe(error: Exception) -> str:
    """Describe an error without secrets."""
    # str(error) is not used because aiohttp's errors contain the URL, which contains the token.
    if isinstance(error, discord.HTTPException):
        return f"Discord answered {error.status}, code {error.code}"
    return f"Discord could not be reached: {type(error).__name__}"


def _job_ids(part: object) -> Iterator[str]:
    """Yield the job ids of the buttons in a message or in one of its parts."""
    if isinstance(part, list):
        for each in cast("list[object]", part):
            yield from _job_ids(each)
    elif isinstance(part, dict):
        fields = cast("dict[str, Any]", part)
        if match := re.fullmatch(TEMPLATE, str(fields.get("custom_id"))):
            yield match["job"]
        yield from _job_ids([fields.get("components"), fields.get("accessory")])
