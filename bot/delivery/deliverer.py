"""Delivers finished videos to Discord: uploads them to the card, links them, or sends a DM."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.artifacts import Handover
from bot.delivery.card_edits import Edit, EditRefusedError, MessageGoneError
from bot.delivery.interaction_token import is_expiry_notice_due
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.card import plays_inline
from bot.errors import DeliveryError
from bot.model import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from bot.artifacts import Artifact
    from bot.delivery.card_edits import CardEdits
    from bot.delivery.copies.smaller_copies import SmallerCopies
    from bot.delivery.dm_notices import DmNotices
    from bot.delivery.edit_lock import EditLock
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.card import CardRenderer
    from bot.links import Links
    from bot.media.files.workspace import Workspace
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.jobs.queue_outlook import QueueOutlook

log = logging.getLogger(__name__)

_EXPIRY_NOTICE = "card.by_dm"
# 20 attempts take about an hour. After the last one, the requester gets a DM instead.
_CARD_ATTEMPTS = 20
# Making a smaller copy is expected to take at most this many seconds.
_COPY_SECONDS = 300.0
# The longest time for which S3 signs a link.
_PLAYER_SECONDS = 7 * 24 * 60 * 60.0


class DiscordDeliverer:
    """Edits the cards of jobs and sends DMs to requesters.

    Two edits of the same card never overlap.
    """

    def __init__(
        self,
        *,
        card_edits: CardEdits,
        dm_notices: DmNotices,
        cards: CardRenderer,
        queue_outlook: QueueOutlook,
        edit_lock: EditLock,
        upload_fallback: UploadFallback,
        smaller_copies: SmallerCopies,
        links: Links,
        artifacts: ArtifactStore,
        workspace: Workspace,
        count_delivery: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._card_edits = card_edits
        self._dm_notices = dm_notices
        self._cards = cards
        self._queue_outlook = queue_outlook
        self._edit_lock = edit_lock
        self._upload_fallback = upload_fallback
        self._smaller_copies = smaller_copies
        self._links = links
        self._artifacts = artifacts
        self._workspace = workspace
        self._count_delivery = count_delivery
        self._clock = clock

    async def find_message(self, job: Job) -> int | None:
        """Return the id of the card that answered the command, or None if there is no card."""
        return await self._card_edits.find(job)

    async def show(self, job: Job) -> None:
        """Show the job's state on its card, or by DM if the card can no longer be edited."""
        async with self._edit_lock.acquire_urgently(
            job.id, lambda: self._card_edits.is_unanswered(job)
        ) as cut_off:
            if cut_off:
                self._card_edits.pause_token(job)
            try:
                shown = await self._show(job, urgent=True)
            except DeliveryError:
                if job.attempts < _CARD_ATTEMPTS:
                    raise
                shown = False
        if not shown:
            await self._send_dm_instead(job)

    def lock_card(self, job_id: str) -> AbstractAsyncContextManager[None]:
        """Lock the card, for a call of `refresh`.

        A final edit may cancel the task that holds the lock.
        """
        return self._edit_lock.acquire(job_id)

    async def queue_places(self) -> Mapping[str, int]:
        """Return the places of the first jobs in the queue, keyed by job id."""
        return await self._queue_outlook.places()

    async def refresh(self, job: Job) -> bool:
        """Show progress on a card that the caller has locked.

        Returns False if the card no longer exists. Raises DeliveryError if the edit may succeed
        later.
        """
        return await self._show(job, urgent=False)

    async def deliver(self, job: Job, artifact: Artifact) -> Handover:
        """Upload the video to the card.

        If Discord refuses the size, link the video instead, or hold it until the operator sets
        PUBLIC_URL.
        """
        async with self._edit_lock.acquire_urgently(
            job.id, lambda: self._card_edits.is_unanswered(job)
        ) as cut_off:
            if cut_off:
                self._card_edits.pause_token(job)
            try:
                handover = await self._hand_over(job, artifact)
            except MessageGoneError as error:
                log.warning("delivery.card_gone id=%s reason=%r", job.id, str(error))
                return Handover.DM
        if handover is Handover.CARD:
            await self._artifacts.mark_delivered(job.id, now=self._clock())
        return handover

    async def notify(self, job: Job, video: Artifact | None) -> bool:
        """Send the job's DM. It contains the `video` or, if that is None, links to the card.

        Returns False if the video is too large for a DM. Such a video is kept until the operator
        sets PUBLIC_URL.
        """
        return await self._dm_notices.notify(job, video)

    async def _send_dm_instead(self, job: Job) -> None:
        if job.origin.message_id is None and self._clock() < job.origin.token_until:
            # Discord has confirmed that the command has no card, so there is nothing to replace
            return
        match job.state:
            case JobState.FAILED if not _is_of_second_bot(job):
                await self._dm_notices.report_failure(job)
            case JobState.CANCELLED if job.origin.message_id is not None:
                await self._dm_notices.report_cancelled(job)
            case JobState.UNDECIDED:
                await self._dm_notices.ask_what_to_do(job)
            case _:
                pass

    async def _show(self, job: Job, *, urgent: bool) -> bool:
        if job.origin.message_id is None:
            return False
        note = _EXPIRY_NOTICE if is_expiry_notice_due(job, self._clock()) else None
        try:
            view = self._cards.render(job, await self._queue_outlook.of(job), note=note)
            await self._card_edits.edit(Edit(job=job, view=view, urgent=urgent))
        except MessageGoneError as error:
            log.info("card.gone id=%s reason=%r", job.id, str(error))
            return False
        return True

    async def _hand_over(self, job: Job, artifact: Artifact) -> Handover:
        link = self._links.make(job.id) if self._links.enabled else None
        target = UploadTarget.of_card(job.origin)

        async def upload(file: UploadFile) -> None:
            view = self._cards.render_video(
                job,
                filename=file.filename,
                ready_at=artifact.created_at,
                note=file.note,
                original=link if file.note else None,
            )
            edit = Edit(job=job, view=view, open_files=lambda: (file.open(),))
            await self._card_edits.edit(edit)

        try:
            if link is not None:
                is_uploaded = await self._upload_fallback.upload_at_once(artifact, target, upload)
            else:
                is_uploaded = await self._upload_fallback.upload(
                    artifact, target, upload, lambda: self._show_shrinking(job)
                )
        except EditRefusedError as error:
            log.warning("delivery.file_refused id=%s reason=%r", job.id, str(error))
            return await self._hand_over_without_file(job, artifact, link)
        if is_uploaded:
            self._count_delivery("upload")
            return Handover.CARD
        if link is not None:
            await self._link(job, artifact, link, replaceable=True)
            self._count_delivery("link")
            return Handover.CARD
        log.warning("delivery.held id=%s size=%d advice='set PUBLIC_URL'", job.id, artifact.size)
        self._count_delivery("held")
        limit = await self._upload_fallback.limit(target)
        view = self._cards.render_held(job, artifact, limit=limit)
        await self._card_edits.edit(Edit(job=job, view=view))
        return Handover.HELD

    async def _hand_over_without_file(
        self, job: Job, artifact: Artifact, link: str | None
    ) -> Handover:
        """Link the video on a card that accepts no files.

        If Discord refuses the link too, tell the requester where else to find the video.
        """
        if link is not None:
            try:
                await self._link(job, artifact, link)
            except EditRefusedError as error:
                log.warning("delivery.link_refused id=%s reason=%r", job.id, str(error))
            else:
                self._count_delivery("link")
                return Handover.CARD
        view = self._cards.render_without_video(job)
        await self._card_edits.edit(Edit(job=job, view=view))
        return Handover.DM

    async def _link(
        self, job: Job, artifact: Artifact, url: str, *, replaceable: bool = False
    ) -> None:
        """Link the video on the card.

        `replaceable`: whether a smaller copy may replace the link later, if Discord can't play
        the linked video on the card.
        """
        # Discord may not follow a redirect, so the player gets the store's own link.
        player = await self._workspace.link_video(job.id, seconds=_PLAYER_SECONDS) or url
        if plays_inline(artifact, player):
            try:
                view = self._cards.render_link(job, artifact, url=url, player=player)
                await self._card_edits.edit(Edit(job=job, view=view))
            except EditRefusedError as error:
                log.warning("delivery.not_inline id=%s reason=%r", job.id, str(error))
            else:
                return
        if replaceable:
            await self._smaller_copies.add(job)
        view = self._cards.render_link(job, artifact, url=url)
        await self._card_edits.edit(Edit(job=job, view=view))

    async def _show_shrinking(self, job: Job) -> None:
        origin = job.origin
        expires = not origin.bot_can_edit and self._clock() > origin.token_until - _COPY_SECONDS
        note = _EXPIRY_NOTICE if expires else None
        view = self._cards.render(job, stage="state.fitting", note=note)
        try:
            await self._card_edits.edit(Edit(job=job, view=view))
        except DeliveryError as error:  # this edit is optional
            log.info("card.not_refreshed id=%s reason=%r", job.id, str(error))


def _is_of_second_bot(job: Job) -> bool:
    """Tell whether the job failed because another process answered its command."""
    return job.failure is not None and job.failure.key == "failed.second_bot"
