"""VoiceGuide: decides for each create request whether the job's narration is sent with it."""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.artifacts import UNGUIDED, SubmittedVoice, VoiceUse
from bot.backends.base import VoiceSound
from bot.backends.capabilities import SoundForm
from bot.errors import MediaError

if TYPE_CHECKING:
    from bot.backends.base import VideoBackend
    from bot.jobs.guiding.permissions import VoicePermissions
    from bot.jobs.guiding.sounds import EncodedVoice, VoiceEncoder
    from bot.links import Links
    from bot.model import Job

log = logging.getLogger(__name__)

_DATA_URL = "data:audio/mpeg;base64,"
# The form parser of vLLM-Omni refuses a field of more than 1 MiB. The field with the sound contains
# the data URL and a little more.
_MOST_CHARACTERS = 1024 * 1024 - 1024
_MAY_GO = frozenset({VoiceUse.ALLOWED, VoiceUse.SENT})


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedVoice:
    """The decision about the narration of the next create request.

    `submitted`: the record to store before the request is sent. `sound`: the sound to send with
    the request, or None.
    """

    submitted: SubmittedVoice = UNGUIDED
    sound: VoiceSound | None = None


class VoiceGuide:
    """Prepares the sounds that are sent with create requests.

    `service`: the service that receives the sounds, or None if the operator sends no narrations.
    """

    def __init__(
        self,
        backend: VideoBackend,
        encoder: VoiceEncoder,
        links: Links,
        permissions: VoicePermissions,
        *,
        service: str | None,
    ) -> None:
        self._backend = backend
        self._encoder = encoder
        self._links = links
        self._permissions = permissions
        self._service = service

    async def prepare(self, job: Job) -> PreparedVoice:
        """Return the sound to send with a job's next create request, if there is one."""
        if job.voice.use not in _MAY_GO:
            return _without(job.voice.use)
        forms = self._backend.capabilities.sound_forms
        if self._service is None or not forms:
            return _without(VoiceUse.UNSUPPORTED)
        if job.voice.service != self._service:  # the requester agreed to another service
            return _without(VoiceUse.WITHHELD)
        if await self._permissions.is_withdrawn(job):
            return _without(VoiceUse.WITHHELD)
        try:
            voice = await self._encoder.encode(job)
        except (MediaError, OSError) as error:
            log.warning("voice.unprepared id=%s reason=%r", job.id, str(error))
            return _without(VoiceUse.UNPREPARED)
        return await self._in_a_form(job, voice, forms)

    async def _in_a_form(
        self, job: Job, voice: EncodedVoice, forms: tuple[SoundForm, ...]
    ) -> PreparedVoice:
        fits = len(_DATA_URL) + 4 * voice.size / 3 < _MOST_CHARACTERS
        if SoundForm.DATA_URL in forms and fits:
            return _with(voice, _DATA_URL + await asyncio.to_thread(_base64, voice))
        if SoundForm.LINK in forms and self._links.reaches_voices:
            return _with(voice, self._links.make_for_voice(job.id))
        is_unlinked = SoundForm.DATA_URL not in forms
        return _without(VoiceUse.NO_LINK if is_unlinked else VoiceUse.TOO_LONG)


def _with(voice: EncodedVoice, url: str) -> PreparedVoice:
    submitted = SubmittedVoice(use=VoiceUse.SENT, digest=voice.digest)
    return PreparedVoice(submitted=submitted, sound=VoiceSound(url=url))


def _without(use: VoiceUse | None) -> PreparedVoice:
    return PreparedVoice(submitted=SubmittedVoice(use=use))


def _base64(voice: EncodedVoice) -> str:
    return base64.b64encode(voice.path.read_bytes()).decode()
