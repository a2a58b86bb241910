"""Admission: checks requests, and builds jobs from the requests that pass."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.model import Job, JobState, Origin, new_job_id
from bot.moderation.access.place import OrderPlace
from bot.texts import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.jobs.costs.budgeting import Budgeting
    from bot.model import Attachment, Client, VideoRequest
    from bot.moderation.access.gate import Gate
    from bot.moderation.access.place import Membership
    from bot.moderation.words import BlockedWords
    from storage.jobs.caps import Caps, CapStore, CapUsage
    from storage.ledger.budgets import Reservation


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleCaps:
    """Daily caps for people with certain roles, and for those who boost the server."""

    by_role: Mapping[int, int] = field(default_factory=dict[int, int])
    boosters: int = 0

    def cap_of(self, requester: Origin | Client) -> int:
        """Return the highest cap that a requester's roles allow, or 0 without such a role."""
        if not isinstance(requester, Origin):
            return 0
        caps = [self.by_role.get(role, 0) for role in requester.role_ids]
        return max([0, self.boosters if requester.is_booster else 0, *caps])


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """The part of a cap that a requester has used.

    `key`: the name of the cap, as in the key of its refusal.
    `frees_at`: when the next use stops counting, or None if that is unknown.
    """

    key: str
    used: int
    limit: int
    frees_at: Moment | None = None


class Admission:
    """Checks requests against the gate, the operator's caps and the blocked words."""

    def __init__(
        self,
        store: CapStore,
        caps: Caps,
        blocked: BlockedWords,
        *,
        gate: Gate,
        budgeting: Budgeting,
        role_caps: RoleCaps | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._caps = caps
        self._role_caps = role_caps or RoleCaps()
        self._blocked = blocked
        self._gate = gate
        self._budgeting = budgeting
        self._clock = clock

    async def admit(self, requester: Origin | Client, place: OrderPlace | None) -> Origin | Client:
        """Return the requester of an allowed order, with the server that the order counts towards.

        Without a `place`, an order from Discord counts as one from outside all servers. UserError:
        orders from this requester and place are refused.
        """
        if place is None and isinstance(requester, Origin):
            place = OrderPlace(user_id=requester.user_id, server_id=requester.guild_id)
        home = await self._gate.check(place)
        return _of_home(requester, home) if isinstance(requester, Origin) else requester

    def check(
        self, request: VideoRequest, attachment: Attachment | None, *, clip_of: str | None
    ) -> None:
        """Raise UserError if the prompt, or the text to read aloud, contains a blocked word."""
        # If a clip is reused, its prompt was checked with the earlier job.
        prompt = () if clip_of else (request.prompt,)
        text = attachment.text if attachment else None
        self._blocked.check(*prompt, *((text,) if text else ()))

    async def reservation(
        self, requester: Origin | Client, *, is_created: bool = True
    ) -> Reservation:
        """Return what an order reserves; `is_created`: a provider makes its clip."""
        return await self._budgeting.reservation(requester, is_created=is_created)

    async def check_budgets(self, reservation: Reservation) -> None:
        """Raise UserError if a reservation exceeds a budget."""
        if (error := await self._budgeting.refusal(reservation)) is not None:
            raise error

    def caps_for(self, requester: Origin | Client) -> Caps:
        """Return the caps of a requester; of several daily caps per person, the highest applies."""
        caps = self._caps
        if caps.per_user_day is None:
            return caps
        return replace(caps, per_user_day=max(caps.per_user_day, self._role_caps.cap_of(requester)))

    async def allowances(self, requester: Origin, place: OrderPlace) -> list[Allowance]:
        """Return how much of each cap a person has used, and when the next use stops counting.

        People whose orders are refused in that place can read it too.
        """
        requester = _of_home(requester, (await self._gate.judge(place)).home)
        caps, usage = await self._usage(requester)
        now, store = self._clock(), self._store
        found = [Allowance(key="user", used=usage.open_of_user, limit=caps.open_per_user)]
        if caps.per_user_day is not None:
            used = usage.user_today
            free = await store.persons_frees_at(requester.user_id, used, now=now) if used else None
            found.append(_of_day("user_day", used, caps.per_user_day, free))
        if caps.per_server_day is not None:
            used = usage.server_today
            free = await store.servers_frees_at(requester, used, now=now) if used else None
            key = _server_key(requester).removeprefix("caps.")
            found.append(_of_day(key, used, caps.per_server_day, free))
        free = await store.frees_at(usage.today, now=now) if usage.today else None
        found.append(_of_day("day", usage.today, caps.per_day, free))
        return found

    async def check_caps(self, requester: Origin | Client) -> None:
        """Raise UserError if a cap or a budget would refuse a new job of the requester."""
        caps, usage = await self._usage(requester)
        error = await self._refusal(requester, caps, usage)
        error = error or await self._budgeting.refusal(await self.reservation(requester))
        if error is not None:
            raise error

    async def refusal(self, requester: Origin | Client, reservation: Reservation) -> UserError:
        """Return an error that names the cap or the budget that the requester has reached."""
        caps, usage = await self._usage(requester)
        error = await self._refusal(requester, caps, usage)
        error = error or await self._budgeting.refusal(reservation)
        # Another job may have ended since the refusal, so that no cap is reached now.
        return error or UserError("caps.all", limit=caps.open_in_all)

    async def _usage(self, requester: Origin | Client) -> tuple[Caps, CapUsage]:
        caps = self.caps_for(requester)
        return caps, await self._store.usage(requester, caps, now=self._clock())

    async def _refusal(
        self, requester: Origin | Client, caps: Caps, usage: CapUsage
    ) -> UserError | None:
        now = self._clock()
        if usage.open_of_user >= caps.open_per_user:
            return UserError("caps.user", limit=caps.open_per_user)
        of_user, of_server = caps.per_user_day, caps.per_server_day
        if isinstance(requester, Origin) and of_user is not None and usage.user_today >= of_user:
            free = await self._store.persons_frees_at(requester.user_id, of_user, now=now)
            return UserError("caps.user_day", limit=of_user, when=_after(free))
        if of_server is not None and usage.server_today >= of_server:
            free = await self._store.servers_frees_at(requester, of_server, now=now)
            return UserError(_server_key(requester), limit=of_server, when=_after(free))
        if usage.today >= caps.per_day:
            free = await self._store.frees_at(caps.per_day, now=now)
            return UserError("caps.day", limit=caps.per_day, when=_after(free))
        if usage.open_in_all >= caps.open_in_all:
            return UserError("caps.all", limit=caps.open_in_all)
        return None


def _of_home(requester: Origin, home: Membership | None) -> Origin:
    if home is None:
        return requester
    return replace(
        requester, home_id=home.server_id, role_ids=home.role_ids, is_booster=home.is_booster
    )


def _of_day(key: str, used: int, limit: int, free: float | None) -> Allowance:
    frees_at = None if free is None else _after(free)
    return Allowance(key=key, used=used, limit=limit, frees_at=frees_at)


def _server_key(requester: Origin | Client) -> str:
    if not isinstance(requester, Origin):
        return "caps.client_day"
    if requester.home_id is not None:
        return "caps.home_day"
    return "caps.dm_day" if requester.guild_id is None else "caps.server_day"


def _after(moment: float) -> Moment:
    return Moment(int(moment) + 1)


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
