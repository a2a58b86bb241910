"""How a video reaches its person: uploaded to the card, linked on it, or by DM."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import discord

from bot.delivery.messages import FileTooLargeError, MessageGoneError
from bot.model import NOTE_CARD_GONE, Handover

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.delivery.cards import Cards
    from bot.delivery.direct import DirectMessages
    from bot.delivery.messages import Messages
    from bot.jobs import JobService
    from bot.links import Links
    from bot.media.workspace import Workspace
    from bot.model import Artifact, Job
    from storage.outlook import Outlooks

log = logging.getLogger(__name__)

# Whatever Discord announces, it takes no more than 100 MiB a request.
_UPLOAD_CEILING = 95 * 1024 * 1024


@dataclass(kw_only=True, slots=True)
class _Turn:
    """Who edits a card now; the last of its users forgets it, so that old cards cost nothing."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class DiscordDeliverer:
    """Brings jobs to their cards; edits of one card never overtake each other."""

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        *,
        messages: Messages,
        direct: DirectMessages,
        cards: Cards,
        outlooks: Outlooks,
        jobs: JobService,
        links: Links,
        workspace: Workspace,
    ) -> None:
        self._messages = messages
        self._direct = direct
        self._cards = cards
        self._outlooks = outlooks
        self._jobs = jobs
        self._links = links
        self._workspace = workspace
        self._turns: dict[str, _Turn] = {}

    async def find_message(self, job: Job) -> int | None:
        """Look for the reply that the command may have posted."""
        return await self._messages.find(job)

    async def show(self, job: Job) -> None:
        """Make the card say how the job stands; a card that is gone is no error."""
        async with self.turn(job.id):
            await self.refresh(job)

    async def refresh(self, job: Job) -> bool:
        """Do what `show` does, for a caller who has the turn; False: the card is gone."""
        if job.origin.message_id is None:
            return False
        try:
            outlook = await self._outlooks.of(job)
            await self._messages.edit(job, self._cards.render(job, outlook))
        except MessageGoneError as error:
            log.info("card.gone id=%s reason=%r", job.id, str(error))
            return False
        return True

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Upload the video if Discord takes it, else link it, else keep it for the operator."""
        async with self.turn(job.id):
            try:
                return await self._hand_over(job, artifact)
            except MessageGoneError as error:
                log.warning("delivery.card_gone id=%s reason=%r", job.id, str(error))
                bearable = self._fits(job, artifact) or self._links.possible
                return Handover.DM if bearable else Handover.HELD

    async def notify(self, job: Job, artifact: Artifact) -> bool:
        """Send the one DM: it points to the card, or brings the video when the card is gone.

        False: the video is too large for a DM, and waits for a link.
        """
        first = job.dm_intent_at is None
        if first and await self._jobs.intend_dm(job) is None:
            return False
        if job.note == NOTE_CARD_GONE:
            return await self._bring(job, artifact, may_be_there=not first)
        text = self._cards.dm(job, link=_jump_url(job))
        await self._direct.send(job, text, may_be_there=not first)
        return True

    async def _bring(self, job: Job, artifact: Artifact, *, may_be_there: bool) -> bool:
        if self._fits(job, artifact):
            try:
                await self._direct.send(
                    job,
                    self._cards.dm_here(job),
                    lambda: self._open(job),
                    may_be_there=may_be_there,
                )
            except FileTooLargeError:
                log.warning("delivery.too_large id=%s size=%d", job.id, artifact.size)
            else:
                return True
        if self._links.possible:
            text = self._cards.dm(job, link=self._links.make(job.id))
            await self._direct.send(job, text, may_be_there=may_be_there)
            return True
        _log_held(job, artifact)
        return False

    @asynccontextmanager
    async def turn(self, job_id: str) -> AsyncGenerator[None]:
        """Wait for the edits of this card that are under way."""
        turn = self._turns.setdefault(job_id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[job_id]

    async def _hand_over(self, job: Job, artifact: Artifact) -> Handover:
        if self._fits(job, artifact):
            try:
                await self._upload(job)
            except FileTooLargeError:
                log.warning("delivery.too_large id=%s size=%d", job.id, artifact.size)
            else:
                return Handover.CARD
        if self._links.possible:
            url = self._links.make(job.id)
            await self._messages.edit(job, self._cards.render_link(job, artifact, url=url))
            return Handover.CARD
        _log_held(job, artifact)
        await self._messages.edit(
            job, self._cards.render_held(job, artifact, limit=job.origin.upload_limit)
        )
        return Handover.HELD

    async def _upload(self, job: Job) -> None:
        view = self._cards.render_video(job, filename=_filename(job))
        await self._messages.edit(job, view, lambda: self._open(job))

    def _open(self, job: Job) -> Sequence[discord.File]:
        return (discord.File(self._workspace.video(job.id), filename=_filename(job)),)

    def _fits(self, job: Job, artifact: Artifact) -> bool:
        return artifact.size <= min(job.origin.upload_limit, _UPLOAD_CEILING)


def _log_held(job: Job, artifact: Artifact) -> None:
    log.warning("delivery.held id=%s size=%d advice='set PUBLIC_URL'", job.id, artifact.size)


def _filename(job: Job) -> str:
    return f"clapper-{job.id[:8]}.mp4"


def _jump_url(job: Job) -> str:
    origin = job.origin
    guild = origin.guild_id or "@me"
    return f"https://discord.com/channels/{guild}/{origin.channel_id}/{origin.message_id}"
