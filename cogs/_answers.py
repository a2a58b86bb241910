"""Responds to an order by posting the card of the ordered job.

Usually, the job is stored first. If that takes long, the card is posted before the job is stored.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import discord

from bot.delivery.second_bot import ALREADY_ANSWERED
from bot.delivery.server_rules import is_blocked_by_server
from bot.discord_bot.replies import UNSAVED, is_second_bot
from bot.errors import UserError
from storage.jobs.queue_outlook import Outlook

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from discord import ui

    from bot.discord_bot.bot import VideoBot
    from bot.model import Job

    Store = Callable[[int | None], Coroutine[Any, Any, Job | None]]

log = logging.getLogger(__name__)

# Discord refuses a response after 3 s. If the job is not stored after 1 s, 2 s remain for sending
# the response.
_ANSWERED_WITHIN = 3.0
_STORED_WITHIN = 1.0


class _AnsweredElsewhereError(Exception):
    """Another process has responded to the interaction, so no response is needed."""


class OrderAnswer:
    """Responds to an order by posting the card of the job `draft`.

    There is only one response. If the job is not stored in time, the response is a card that says
    so. That card is edited later, by the job's steps or to show that the order was refused.
    """

    def __init__(self, interaction: discord.Interaction[VideoBot], draft: Job) -> None:
        self._interaction = interaction
        self._services = interaction.client.services
        self._draft = draft

    async def give(self, store: Store) -> None:
        """Store the job and post its card.

        `store` stores the job. It gets the id of the card's message, if the card has already been
        posted. It returns None if Discord sent the interaction twice, and the job is already
        stored.

        Raises UserError if the order is refused.
        """
        age = self._interaction.client.arrivals.age(self._interaction)
        if age >= _ANSWERED_WITHIN:
            # Discord has already told the person that the bot did not respond.
            log.warning("interaction.too_late id=%d seconds=%.1f", self._interaction.id, age)
            self._services.count_answer("too_late")
            return
        with suppress(_AnsweredElsewhereError):
            if age >= _STORED_WITHIN:
                await self._answer_first(store)
            else:
                await self._store_first(store, within=_STORED_WITHIN - age)

    async def _store_first(self, store: Store, *, within: float) -> None:
        storing = asyncio.create_task(store(None), name=f"order:{self._draft.id}")
        storing.add_done_callback(_retrieve_error)
        outlook = asyncio.create_task(self._services.queue_outlook.of(self._draft), name="outlook")
        await asyncio.wait({storing, outlook}, timeout=within)
        known_outlook = _result_of(outlook) or Outlook()
        if not storing.done():
            await self._answer_while(storing)
        elif (job := storing.result()) is None:
            log.warning("interaction.repeated id=%d", self._interaction.id)
        else:
            self._services.count_answer("stored")
            message_id = await self._post(self._services.cards.render(job, known_outlook), storing)
            if message_id is not None:
                await self._services.jobs.acknowledge(job.id, message_id)

    async def _answer_while(self, storing: asyncio.Task[Job | None]) -> None:
        message_id = await self._post_unsaved(storing)
        # Until the job's row contains the message's id, only the job id in the card's button shows
        # which job the card belongs to.
        if (job := await storing) is not None and message_id is not None:
            await self._services.jobs.acknowledge(job.id, message_id, is_current=False)

    async def _answer_first(self, store: Store) -> None:
        message_id = await self._post_unsaved(None)
        job = await store(message_id)
        if job is not None and message_id is not None:
            self._services.jobs.refresh_card(job)

    async def _post_unsaved(self, storing: asyncio.Task[Job | None] | None) -> int | None:
        """Post a card that says that the job is not stored yet."""
        self._services.count_answer("unsaved")
        view = self._services.cards.render(self._draft, stage="state.unsaved", note="card.unsaved")
        message_id = await self._post(view, storing)
        self._interaction.extras[UNSAVED] = True
        return message_id

    async def _post(
        self, view: ui.LayoutView, storing: asyncio.Task[Job | None] | None
    ) -> int | None:
        """Post the card, and return its message id.

        Returns None if an earlier attempt may have posted the card. The job's first step then looks
        for the card.
        """
        try:
            response = await self._interaction.response.send_message(
                view=view, allowed_mentions=discord.AllowedMentions.none()
            )
        except discord.HTTPException as error:
            if is_blocked_by_server(error):
                # Discord has refused the card, so the job's first step would look for it in vain.
                await self._fail(storing, "failed.automod")
                raise UserError("failed.automod") from error
            if error.code != ALREADY_ANSWERED:
                raise
            if await is_second_bot(self._interaction, error):
                await self._fail(storing, "failed.second_bot")
                raise _AnsweredElsewhereError from error
            return None
        return response.message_id

    async def _fail(self, storing: asyncio.Task[Job | None] | None, key: str) -> None:
        if storing is not None and (job := await storing) is not None:
            await self._services.jobs.fail(job, key)


def _result_of(task: asyncio.Task[Outlook]) -> Outlook | None:
    """Return a job's outlook if it is already known, or else None. A card needs no outlook."""
    if not task.done():
        task.cancel()
        return None
    if (error := task.exception()) is not None:
        log.warning("outlook.unread error=%s", type(error).__name__)
        return None
    return task.result()


def _retrieve_error(task: asyncio.Task[Job | None]) -> None:
    # If posting the card fails, the task is not awaited. asyncio would then log the task's error,
    # so read the error here.
    if not task.cancelled():
        task.exception()
