"""Sends DMs to requesters: a video is ready, has failed, or needs a decision."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.delivery.dm import DmFormRefusedError, DmRefusedError
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.library_view import jump_url
from storage.people import Notify, NotifyDefault

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.artifacts import Artifact
    from bot.delivery.dm import DirectMessages
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.changes.card_records import CardRecords
    from bot.links import Links
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.people import PeopleStore

log = logging.getLogger(__name__)


class DmNotices:
    """Sends DMs to requesters. They choose with `/notify` which DMs they get.

    There is at most one DM about a job's result, and one for each question that the job's card
    can't show.
    """

    def __init__(
        self,
        *,
        direct_messages: DirectMessages,
        cards: CardRenderer,
        card_records: CardRecords,
        links: Links,
        upload_fallback: UploadFallback,
        artifacts: ArtifactStore,
        people: PeopleStore,
        clock: Callable[[], float],
    ) -> None:
        self._direct_messages = direct_messages
        self._cards = cards
        self._card_records = card_records
        self._links = links
        self._upload_fallback = upload_fallback
        self._artifacts = artifacts
        self._people = people
        self._clock = clock

    async def notify(self, job: Job, video: Artifact | None) -> bool:
        """Send the requester a link to the card, if they want one.

        `video`: the video to send instead, because the card is gone.

        Returns False if the video is too large for a DM. The video is then kept until the operator
        sets PUBLIC_URL. Also returns False if another step has claimed the job.
        """
        if video is None and not await self._is_wanted(job):
            return True
        is_first_try = job.dm_intent_at is None
        if is_first_try:
            # Once the intent is stored, each attempt first looks for the DM in the channel.
            await self._direct_messages.check_limit(job, only_way=video is not None)
            if await self._card_records.intend_dm(job) is None:
                return False
        try:
            if video is not None:
                return await self._send_video(job, video, may_be_sent=not is_first_try)
            text = self._cards.dm(job, link=jump_url(job))
            await self._direct_messages.send(
                job, text, may_be_sent=not is_first_try, only_way=False
            )
        except DmRefusedError:
            if video is not None:
                log.warning("delivery.left_to_library id=%s", job.id)
        return True

    async def report_failure(self, job: Job) -> None:
        """Send a DM with the reason for a failure, because the card can't show it."""
        await self._card_records.mark_card_gone(job.id)
        await self._send(job, self._cards.dm_failed(job))

    async def report_cancelled(self, job: Job) -> None:
        """Send a DM about a cancellation, because the card can't show it."""
        await self._send(job, self._cards.dm_cancelled(job))

    async def ask_what_to_do(self, job: Job) -> None:
        """Ask by DM whether to submit an undecided job again, because its card can't ask."""
        await self._send(job, self._cards.dm_undecided(job))

    async def _send(self, job: Job, text: str) -> None:
        try:
            await self._direct_messages.send(job, text, may_be_sent=True)
        except DmRefusedError:
            log.info("person.untold id=%s state=%s", job.id, job.state)

    async def _is_wanted(self, job: Job) -> bool:
        of_server = job.origin.notify_default
        default = NotifyDefault.parse(of_server) if of_server else None
        person = await self._people.get(job.origin.user_id, default)
        match person.notify:
            case Notify.ALWAYS:
                return True
            case Notify.NEVER:
                return False
            case Notify.LATE:
                return self._clock() - job.created_at > person.notify_minutes * 60

    def _link(self, artifact: Artifact) -> str:
        # Link to the page, not to the file: Discord shows a page as a preview with a player.
        return self._links.share(artifact.job_id, serial=artifact.share_serial).url

    async def _send_video(self, job: Job, artifact: Artifact, *, may_be_sent: bool) -> bool:
        link = self._link(artifact) if self._links.enabled else None

        async def upload(file: UploadFile) -> None:
            original = link if file.note else None
            text = self._cards.dm_with_video(job, note=file.note, original=original)
            await self._direct_messages.send(
                job, text, lambda: (file.open(),), may_be_sent=may_be_sent
            )

        try:
            is_uploaded = await self._upload_fallback.upload(
                artifact, UploadTarget.of_dm(job.origin), upload, _show_nothing
            )
        except DmFormRefusedError:
            if link is None:
                await self._direct_messages.send(
                    job, self._cards.dm_in_library(job), may_be_sent=may_be_sent
                )
                return True
            is_uploaded = False
        if not is_uploaded:
            if link is None:
                log.warning(
                    "delivery.held id=%s size=%d advice='set PUBLIC_URL'", job.id, artifact.size
                )
                return False
            text = self._cards.dm(job, link=link)
            await self._direct_messages.send(job, text, may_be_sent=may_be_sent)
        await self._artifacts.mark_delivered(job.id, now=self._clock())
        return True


async def _show_nothing() -> None:
    """Do nothing. A DM that has not been sent can't announce that a copy is being made."""
