"""How a video reaches its person: uploaded to the card, linked on it, or by DM."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.artifacts import Handover
from bot.delivery.card_edits import Edit, EditRefusedError, MessageGoneError
from bot.delivery.interaction_token import is_time_for_last_word
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.card import plays_inline
from bot.errors import DeliveryError
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from bot.artifacts import Artifact
    from bot.delivery.card_edits import CardEdits
    from bot.delivery.dm_notices import DmNotices
    from bot.delivery.edit_lock import EditLock
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.card import CardRenderer
    from bot.links import Links
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.jobs.queue_outlook import QueueOutlook

log = logging.getLogger(__name__)

_LAST_WORD = "card.by_dm"
# As long as making a copy may take.
_COPY_SECONDS = 300.0


class DiscordDeliverer:
    """Brings jobs to their cards; edits of one card never overtake each other."""

    def __init__(
        self,
        *,
        messages: CardEdits,
        dm_notices: DmNotices,
        cards: CardRenderer,
        queue_outlook: QueueOutlook,
        edit_lock: EditLock,
        upload_fallback: UploadFallback,
        links: Links,
        artifacts: ArtifactStore,
        note_handover: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._messages = messages
        self._dm_notices = dm_notices
        self._cards = cards
        self._queue_outlook = queue_outlook
        self._edit_lock = edit_lock
        self._upload_fallback = upload_fallback
        self._links = links
        self._artifacts = artifacts
        self._note_handover = note_handover
        self._clock = clock

    async def find_message(self, job: Job) -> int | None:
        """Look for the reply that the command may have posted."""
        return await self._messages.find(job)

    async def show(self, job: Job) -> None:
        """Make the card say how the job stands; a card that is gone is no error."""
        async with self._edit_lock.acquire_urgently(
            job.id, lambda: self._messages.is_unanswered(job)
        ) as cut_off:
            if cut_off:
                self._messages.avoid_token(job)
            shown = await self._show(job, urgent=True)
        if not shown:
            await self._say_elsewhere(job)

    def turn(self, job_id: str) -> AbstractAsyncContextManager[None]:
        """Wait for the edits of this card that are under way; then `refresh` may be called."""
        return self._edit_lock.acquire(job_id)

    async def refresh(self, job: Job) -> bool:
        """Show progress, for a caller who has the turn; False: the card is gone.

        DeliveryError: not now.
        """
        return await self._show(job, urgent=False)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Upload the video as far as Discord takes it, else link it, else keep it."""
        async with self._edit_lock.acquire_urgently(
            job.id, lambda: self._messages.is_unanswered(job)
        ) as cut_off:
            if cut_off:
                self._messages.avoid_token(job)
            try:
                handover = await self._hand_over(job, artifact)
            except MessageGoneError as error:
                log.warning("delivery.card_gone id=%s reason=%r", job.id, str(error))
                return Handover.DM
        if handover is Handover.CARD:
            await self._artifacts.mark_delivered(job.id, now=self._clock())
        return handover

    async def notify(self, job: Job, artifact: Artifact) -> bool:
        """Send the one DM: it points to the card, or brings the video when the card is gone.

        False: the video is too large for a DM, and waits for a link.
        """
        return await self._dm_notices.notify(job, artifact)

    async def _say_elsewhere(self, job: Job) -> None:
        match job.state:
            # Where the bot itself can't edit, the card has promised the result by DM.
            case JobState.FAILED if not job.origin.by_bot:
                await self._dm_notices.tell_failure(job)
            case JobState.UNDECIDED:
                await self._dm_notices.ask(job)
            case _:
                pass

    async def _show(self, job: Job, *, urgent: bool) -> bool:
        if job.origin.message_id is None:
            return False
        note = _LAST_WORD if is_time_for_last_word(job, self._clock()) else None
        try:
            view = self._cards.render(job, await self._queue_outlook.of(job), note=note)
            await self._messages.edit(Edit(job=job, view=view, urgent=urgent))
        except MessageGoneError as error:
            log.info("card.gone id=%s reason=%r", job.id, str(error))
            return False
        return True

    async def _hand_over(self, job: Job, artifact: Artifact) -> Handover:
        link = self._links.make(job.id) if self._links.possible else None
        place = UploadTarget.of_card(job.origin)

        async def upload(parcel: UploadFile) -> None:
            view = self._cards.render_video(
                job,
                filename=parcel.filename,
                ready_at=artifact.created_at,
                note=parcel.note,
                original=link if parcel.note else None,
            )
            edit = Edit(job=job, view=view, open_files=lambda: (parcel.open(),))
            await self._messages.edit(edit)

        if await self._upload_fallback.upload(
            artifact, place, upload, lambda: self._say_fitting(job)
        ):
            self._note_handover("upload")
            return Handover.CARD
        if link is not None:
            await self._link(job, artifact, link)
            self._note_handover("link")
            return Handover.CARD
        log.warning("delivery.held id=%s size=%d advice='set PUBLIC_URL'", job.id, artifact.size)
        self._note_handover("held")
        limit = await self._upload_fallback.limit(place)
        view = self._cards.render_held(job, artifact, limit=limit)
        await self._messages.edit(Edit(job=job, view=view))
        return Handover.HELD

    async def _link(self, job: Job, artifact: Artifact, url: str) -> None:
        if plays_inline(artifact, url):
            try:
                view = self._cards.render_link(job, artifact, url=url, inline=True)
                await self._messages.edit(Edit(job=job, view=view))
            except EditRefusedError as error:
                log.warning("delivery.not_inline id=%s reason=%r", job.id, str(error))
            else:
                return
        view = self._cards.render_link(job, artifact, url=url)
        await self._messages.edit(Edit(job=job, view=view))

    async def _say_fitting(self, job: Job) -> None:
        origin = job.origin
        leaving = not origin.by_bot and self._clock() > origin.token_until - _COPY_SECONDS
        view = self._cards.render(job, stage="state.fitting", note=_LAST_WORD if leaving else None)
        try:
            await self._messages.edit(Edit(job=job, view=view))
        except DeliveryError as error:  # it is only said on the way
            log.info("card.not_refreshed id=%s reason=%r", job.id, str(error))
