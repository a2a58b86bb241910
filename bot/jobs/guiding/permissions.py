"""VoicePermissions: decides whether a new job's narration may be sent to the video service."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.artifacts import NO_VOICE, OrderedVoice, VoiceUse
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.backends.base import VideoBackend
    from bot.model import Attachment, Job
    from storage.access.voice_consents import VoiceConsentStore

log = logging.getLogger(__name__)

# Discord expects a response to an order within 3 seconds, and the order itself has to be stored.
_READ_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class HearingService:
    """The video service that may get narrations.

    `host`: its address, for which people's answers are stored. `label`: its name for people.
    `is_inside`: whether it runs in the operator's own network, so that no one has to be asked.
    """

    host: str
    label: str
    is_inside: bool

    @property
    def digest(self) -> str:
        """A short digest of the address, for the ids of buttons."""
        return hashlib.sha256(self.host.encode()).hexdigest()[:16]


class VoicePermissions:
    """Lets a service hear a person's voice only if the person has agreed.

    A text that is read aloud is not a person's voice. Its audio is sent without a question,
    but not after the person has declined.
    `service`: the service that may get narrations, or None if the operator keeps narrations here.
    """

    def __init__(
        self,
        store: VoiceConsentStore,
        backend: VideoBackend,
        *,
        service: HearingService | None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._backend = backend
        self._clock = clock
        #: The service that may get narrations, or None.
        self.service = service

    @property
    def hearing_service(self) -> HearingService | None:
        """The service that may get narrations, or None if it or its model accepts no audio."""
        return self.service if self._backend.capabilities.hears_voice else None

    @property
    def asked_service(self) -> HearingService | None:
        """The service for which people are asked, or None if no one is asked."""
        service = self.hearing_service
        return None if service is None or service.is_inside else service

    async def of_person(
        self, user_id: int, attachment: Attachment | None, *, clip_of: str | None
    ) -> OrderedVoice | None:
        """Return the use of a narration in a person's order, or None if they must be asked first.

        `clip_of`: the job whose finished video is used. Such an order is sent to no video service.
        """
        if (decided := self._undisputed(attachment, clip_of=clip_of)) is not None:
            return decided
        is_spoken = attachment is not None and attachment.text is not None
        try:
            async with asyncio.timeout(_READ_SECONDS):
                agrees = await self._store.get(user_id, self._host)
        except (StorageError, TimeoutError) as error:
            log.warning("voice.consent_unread user=%d error=%r", user_id, str(error))
            agrees = False
        if agrees is None and not is_spoken:
            return None
        return self._ordered(agrees=agrees is not False)

    async def is_withdrawn(self, job: Job) -> bool:
        """Return whether the requester no longer agrees that the service hears a job's narration.

        An answer that was changed while the order was stored has not changed the order.
        """
        if job.client is not None or self.asked_service is None:
            return False
        agrees = await self._store.get(job.origin.user_id, job.voice.service)
        is_spoken = job.attachment is not None and job.attachment.text is not None
        return not is_spoken if agrees is None else not agrees

    def of_client(self, attachment: Attachment | None, *, agrees: bool | None) -> OrderedVoice:
        """Return the use of a narration in an API client's order.

        `agrees`: whether the order itself says that the service may hear the voice.
        """
        decided = self._undisputed(attachment, clip_of=None)
        return self._ordered(agrees=bool(agrees)) if decided is None else decided

    async def answer(self, user_id: int, *, agrees: bool) -> None:
        """Store a person's answer for the current service."""
        await self._store.answer(user_id, self._host, agrees=agrees, now=self._clock())

    async def answer_of(self, user_id: int) -> bool | None:
        """Return a person's answer for the current service, or None if there is none."""
        return await self._store.get(user_id, self._host)

    async def has_answered(self, user_id: int) -> bool:
        """Return whether an answer of a person is stored, for any service."""
        return await self._store.has_any(user_id)

    async def forget(self, user_id: int) -> bool:
        """Delete a person's answers for all services, and return whether there were any."""
        return await self._store.forget(user_id)

    @property
    def _host(self) -> str:
        return self.service.host if self.service else ""

    def _undisputed(
        self, attachment: Attachment | None, *, clip_of: str | None
    ) -> OrderedVoice | None:
        if self.service is None or attachment is None or clip_of is not None:
            return NO_VOICE
        if not self._backend.capabilities.hears_voice:
            return OrderedVoice(use=VoiceUse.UNSUPPORTED)
        return self._ordered(agrees=True) if self.service.is_inside else None

    def _ordered(self, *, agrees: bool) -> OrderedVoice:
        if not agrees:
            return OrderedVoice(use=VoiceUse.WITHHELD)
        return OrderedVoice(use=VoiceUse.ALLOWED, service=self._host)
