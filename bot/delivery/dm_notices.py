"""Notices: the DM that says that a video is ready, or brings it where the card can't."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.delivery.dm import DmRefusedError
from bot.delivery.upload_fallback import UploadTarget
from bot.delivery.views.library_view import jump_url
from storage.people import Notify

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.artifacts import Artifact
    from bot.delivery.dm import DirectMessages
    from bot.delivery.upload_fallback import UploadFallback, UploadFile
    from bot.delivery.views.card import CardRenderer
    from bot.jobs.service import JobService
    from bot.links import Links
    from bot.model import Job
    from storage.artifacts import ArtifactStore
    from storage.people import PeopleStore

log = logging.getLogger(__name__)


class DmNotices:
    """Writes to people as they chose.

    A job has one DM at the most, and another for each question that its card can't ask.
    """

    def __init__(
        self,
        *,
        direct: DirectMessages,
        cards: CardRenderer,
        jobs: JobService,
        links: Links,
        upload_fallback: UploadFallback,
        artifacts: ArtifactStore,
        people: PeopleStore,
        clock: Callable[[], float],
    ) -> None:
        self._direct = direct
        self._cards = cards
        self._jobs = jobs
        self._links = links
        self._upload_fallback = upload_fallback
        self._artifacts = artifacts
        self._people = people
        self._clock = clock

    async def notify(self, job: Job, artifact: Artifact) -> bool:
        """Point to the card, if that is wanted, or bring the video when there is no card.

        False: the video is too large for a DM, and waits for a link; or the job is another's now.
        """
        if not job.card_gone and not await self._is_wanted(job):
            return True
        first = job.dm_intent_at is None
        if first and await self._jobs.intend_dm(job) is None:
            return False
        try:
            if job.card_gone:
                return await self._bring(job, artifact, may_be_there=not first)
            text = self._cards.dm(job, link=jump_url(job))
            await self._direct.send(job, text, may_be_there=not first)
        except DmRefusedError:
            if job.card_gone:
                log.warning("delivery.left_to_library id=%s", job.id)
        return True

    async def tell_failure(self, job: Job) -> None:
        """Say why there is no video, where no card can say it."""
        await self._tell(job, self._cards.dm_failed(job))

    async def ask(self, job: Job) -> None:
        """Ask what shall become of an undecided job, where no card can ask it."""
        await self._tell(job, self._cards.dm_undecided(job))

    async def _tell(self, job: Job, text: str) -> None:
        try:
            await self._direct.send(job, text, may_be_there=True)
        except DmRefusedError:
            log.info("person.untold id=%s state=%s", job.id, job.state)

    async def _is_wanted(self, job: Job) -> bool:
        person = await self._people.get(job.origin.user_id)
        match person.notify:
            case Notify.ALWAYS:
                return True
            case Notify.NEVER:
                return False
            case Notify.LATE:
                return self._clock() - job.created_at > person.notify_minutes * 60

    def _link(self, artifact: Artifact) -> str:
        # The page, not the file: it unfurls, with the video playing in the DM.
        return self._links.share(artifact.job_id, serial=artifact.share_serial).url

    async def _bring(self, job: Job, artifact: Artifact, *, may_be_there: bool) -> bool:
        link = self._link(artifact) if self._links.possible else None

        async def upload(parcel: UploadFile) -> None:
            original = link if parcel.note else None
            text = self._cards.dm_here(job, note=parcel.note, original=original)
            await self._direct.send(
                job,
                text,
                lambda: (parcel.open(),),
                may_be_there=may_be_there,
            )

        if not await self._upload_fallback.upload(
            artifact, UploadTarget.of_dm(job.origin), upload, _say_nothing
        ):
            if link is None:
                log.warning(
                    "delivery.held id=%s size=%d advice='set PUBLIC_URL'", job.id, artifact.size
                )
                return False
            await self._direct.send(job, self._cards.dm(job, link=link), may_be_there=may_be_there)
        await self._artifacts.mark_delivered(job.id, now=self._clock())
        return True


async def _say_nothing() -> None:
    """There is no message yet that could say that a copy is being made."""
