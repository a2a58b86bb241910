"""Admission: checks requests, and builds the jobs for those that pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.model import Job, JobState, Origin, new_job_id
from bot.moderation.access.place import OrderPlace
from bot.texts import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.model import Attachment, Client, VideoRequest
    from bot.moderation.access.gate import Gate
    from bot.moderation.words import BlockedWords
    from storage.jobs.caps import Caps
    from storage.jobs.store import JobStore


class Admission:
    """Checks requests against the gate, the operator's caps and blocked words."""

    def __init__(
        self,
        store: JobStore,
        caps: Caps,
        blocked: BlockedWords,
        *,
        gate: Gate,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self.caps = caps
        self._blocked = blocked
        self._gate = gate
        self._clock = clock

    def check_place(self, requester: Origin | Client, place: OrderPlace | None) -> None:
        """Raise UserError if orders from this requester and place are refused.

        Without a `place`, an order from Discord counts as one from outside of all servers.
        """
        if place is None and isinstance(requester, Origin):
            place = OrderPlace(user_id=requester.user_id, server_id=requester.guild_id)
        self._gate.check(place)

    def check(
        self, request: VideoRequest, attachment: Attachment | None, *, clip_of: str | None
    ) -> None:
        """Raise UserError if the prompt, or the text to speak, contains a blocked word."""
        # With a reused clip, the prompt is that of an earlier job.
        prompt = () if clip_of else (request.prompt,)
        text = attachment.text if attachment else None
        self._blocked.check(*prompt, *((text,) if text else ()))

    async def check_caps(self, requester: Origin | Client) -> None:
        """Raise UserError if the requester has reached a cap, before there is a job."""
        usage = await self._store.usage(requester, self.caps, now=self._clock())
        if (
            usage.open_of_user >= self.caps.open_per_user
            or usage.open_in_all >= self.caps.open_in_all
            or usage.today >= self.caps.per_day
        ):
            raise await self.refusal(requester)

    async def refusal(self, requester: Origin | Client) -> UserError:
        """Return an error that names the cap that the requester has reached."""
        now = self._clock()
        usage = await self._store.usage(requester, self.caps, now=now)
        if usage.open_of_user >= self.caps.open_per_user:
            return UserError("caps.user", limit=self.caps.open_per_user)
        if usage.open_in_all >= self.caps.open_in_all:
            return UserError("caps.all", limit=self.caps.open_in_all)
        room_at = await self._store.cap_frees_at(self.caps.per_day, now=now)
        return UserError("caps.day", limit=self.caps.per_day, when=Moment(int(room_at) + 1))


def new_job(
    request: VideoRequest,
    requester: Origin | Client,
    attachment: Attachment | None,
    *,
    backend: str,
    now: float,
    next_at: float,
    job_id: str | None = None,
    narration_of: str | None = None,
    clip_of: str | None = None,
) -> Job:
    """Return a job in the state `received`; `job_id` can be an earlier result of `new_job_id`."""
    return Job(
        id=job_id or new_job_id(),
        state=JobState.RECEIVED,
        next_at=next_at,
        created_at=now,
        updated_at=now,
        backend=backend,
        request=request,
        requester=requester,
        attachment=attachment,
        narration_of=narration_of,
        clip_of=clip_of,
    )
