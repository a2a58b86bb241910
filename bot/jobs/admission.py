"""Admission: decides whether an order is accepted, and builds the job for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

from bot.artifacts import NO_VOICE
from bot.errors import UserError
from bot.model import Job, JobState, Origin, new_job_id
from bot.moderation.access.place import OrderPlace
from bot.texts import Moment
from storage.access.settings import BOOSTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from bot.artifacts import OrderedVoice
    from bot.model import Attachment, Client, VideoRequest
    from bot.moderation.access.gate import Gate, Terms
    from bot.moderation.access.place import Membership
    from bot.moderation.words import BlockedWords
    from storage.jobs.caps import Caps, CapStore, CapUsage


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleCaps:
    """Daily caps for people who have certain roles or boost the server."""

    by_role: Mapping[int, int] = field(default_factory=dict[int, int])
    boosters: int = 0

    def cap_of(self, requester: Origin | Client) -> int:
        """Return the highest cap among a requester's roles, or 0 if no role of theirs has one."""
        if not isinstance(requester, Origin):
            return 0
        caps = [self.by_role.get(role, 0) for role in requester.role_ids]
        return max([0, self.boosters if requester.is_booster else 0, *caps])

    def replaced_by(self, caps: Mapping[int, int]) -> RoleCaps:
        """Return a copy in which the given caps replace the caps for the same roles.

        `caps`: daily caps by role ID. The key `BOOSTERS` stands for the people who boost the
        server.
        """
        by_role = {role: cap for role, cap in caps.items() if role != BOOSTERS}
        return RoleCaps(
            by_role={**self.by_role, **by_role}, boosters=caps.get(BOOSTERS, self.boosters)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted:
    """The requester of an accepted order, and the caps that apply to the order."""

    requester: Origin | Client
    caps: Caps


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """The part of a cap that a requester has used.

    `used`, `limit`: the number of jobs that count towards the cap, and the maximum.

    `key`: the cap's name. If the cap is reached, orders are refused with the sentence whose locale
    key is `caps.` plus this name.
    `frees_at`: the Unix time at which the next job stops counting, or None if that is unknown.
    """

    key: str
    used: int
    limit: int
    frees_at: Moment | None = None


class Admission:
    """Checks orders against the gate, the caps and the blocked words."""

    def __init__(
        self,
        store: CapStore,
        caps: Caps,
        blocked: BlockedWords,
        *,
        gate: Gate,
        role_caps: RoleCaps | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._caps = caps
        self._role_caps = role_caps or RoleCaps()
        self._blocked = blocked
        self._gate = gate
        self._clock = clock

    async def admit(self, requester: Origin | Client, place: OrderPlace | None) -> Admitted:
        """Return the requester of an order, with settings and caps that depend on the place.

        Raises UserError if the gate refuses orders from this requester in this place.
        `place`: the place in Discord. If it is None, only the requester's server is known.
        """
        if place is None and isinstance(requester, Origin):
            place = OrderPlace(user_id=requester.user_id, server_id=requester.guild_id)
        return self._on_terms(requester, await self._gate.check(place))

    def check(
        self, request: VideoRequest, attachment: Attachment | None, *, clip_of: str | None
    ) -> None:
        """Raise UserError if the prompt, or the text to read aloud, contains a blocked word."""
        # If the order reuses a clip, the clip's prompt was checked when its own job was ordered.
        prompt = () if clip_of else (request.prompt,)
        text = attachment.text if attachment else None
        self._blocked.check(*prompt, *((text,) if text else ()))

    def _on_terms(self, requester: Origin | Client, terms: Terms) -> Admitted:
        """Apply the settings that the gate found.

        If several caps fit a person, the highest applies.
        """
        if isinstance(requester, Origin):
            requester = _with_settings(_of_home(requester, terms.home), terms)
        caps, everywhere, server = self._caps, terms.everywhere, terms.server
        of_user = caps.per_user_day if everywhere.person_day is None else everywhere.person_day
        if of_user is not None:
            role_caps = self._role_caps.replaced_by(everywhere.role_caps)
            of_user = max(of_user, role_caps.cap_of(requester))
        of_roles = RoleCaps().replaced_by(server.role_caps).cap_of(requester)
        # If `person_day` is 0, no one may order. If `of_roles` is 0, no role has a cap.
        is_capped = server.person_day is not None or of_roles > 0
        of_member = max(of_roles, server.person_day or 0) if is_capped else None
        of_server = caps.per_server_day if everywhere.server_day is None else everywhere.server_day
        is_narrower = server.server_day is not None and (
            of_server is None or server.server_day < of_server
        )
        return Admitted(
            requester=requester,
            caps=replace(
                caps,
                per_user_day=of_user,
                per_member_day=of_member,
                per_server_day=server.server_day if is_narrower else of_server,
                managers_set_server_day=is_narrower,
            ),
        )

    async def allowances(self, requester: Origin, place: OrderPlace) -> list[Allowance]:
        """Return how much of each cap a person has used.

        This also works in a place where the person's orders are refused.
        """
        admitted = self._on_terms(requester, (await self._gate.judge(place)).terms)
        caps, now, store = admitted.caps, self._clock(), self._store
        if isinstance(admitted.requester, Origin):
            requester = admitted.requester
        usage = await store.usage(requester, caps, now=now)
        found = [Allowance(key="user", used=usage.open_of_user, limit=caps.open_per_user)]
        if caps.per_user_day is not None:
            used = usage.user_today
            free = await store.persons_frees_at(requester.user_id, used, now=now) if used else None
            found.append(_of_day("user_day", used, caps.per_user_day, free))
        if caps.per_member_day is not None:
            used = usage.member_today
            free = await store.members_frees_at(requester, used, now=now) if used else None
            found.append(_of_day("member_day", used, caps.per_member_day, free))
        if caps.per_server_day is not None:
            used = usage.server_today
            free = await store.servers_frees_at(requester, used, now=now) if used else None
            key = _server_key(requester).removeprefix("caps.")
            found.append(_of_day(key, used, caps.per_server_day, free))
        free = await store.frees_at(usage.today, now=now) if usage.today else None
        found.append(_of_day("day", usage.today, caps.per_day, free))
        return found

    async def check_caps(self, admitted: Admitted) -> None:
        """Raise UserError if the requester has reached a cap. The error names the cap."""
        if (error := await self._refusal(admitted)) is not None:
            raise error

    async def _refusal(self, admitted: Admitted) -> UserError | None:
        caps, now = admitted.caps, self._clock()
        usage = await self._store.usage(admitted.requester, caps, now=now)
        if usage.open_of_user >= caps.open_per_user:
            return UserError("caps.user", limit=caps.open_per_user)
        if (error := await self._refusal_of_requester(admitted, usage)) is not None:
            return error
        if usage.today >= caps.per_day:
            free = await self._store.frees_at(caps.per_day, now=now)
            return UserError("caps.day", limit=caps.per_day, when=_after(free))
        if usage.open_in_all >= caps.open_in_all:
            return UserError("caps.all", limit=caps.open_in_all)
        return None

    async def _refusal_of_requester(self, admitted: Admitted, usage: CapUsage) -> UserError | None:
        """Return an error if the daily cap of the person or of the server is reached."""
        requester, caps, now = admitted.requester, admitted.caps, self._clock()
        if isinstance(requester, Origin):
            limit = caps.per_user_day
            if limit is not None and usage.user_today >= limit:
                free = await self._store.persons_frees_at(requester.user_id, limit, now=now)
                return UserError("caps.user_day", limit=limit, when=_after(free))
            limit = caps.per_member_day
            if limit is not None and usage.member_today >= limit:
                free = await self._store.members_frees_at(requester, limit, now=now)
                return UserError("caps.member_day", limit=limit, when=_after(free))
        limit = caps.per_server_day
        if limit is not None and usage.server_today >= limit:
            free = await self._store.servers_frees_at(requester, limit, now=now)
            key = "caps.managers_day" if caps.managers_set_server_day else _server_key(requester)
            return UserError(key, limit=limit, when=_after(free))
        return None


def _of_home(requester: Origin, home: Membership | None) -> Origin:
    if home is None:
        return requester
    return replace(
        requester, home_id=home.server_id, role_ids=home.role_ids, is_booster=home.is_booster
    )


def _with_settings(requester: Origin, terms: Terms) -> Origin:
    """Add the settings for cards and DMs. They apply only in servers where the bot is installed."""
    if requester.guild_id is None or terms.home is not None:
        return requester
    everywhere, server = terms.everywhere, terms.server
    return replace(
        requester,
        card_language=server.language or everywhere.language,
        is_spoiler=server.is_spoiler or everywhere.is_spoiler,
        notify_default=server.notify or everywhere.notify,
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


class JobSources(TypedDict, total=False):
    """The id of a new job, and the earlier jobs whose files it reuses.

    `job_id`: an id from `new_job_id`, if the caller has already made one.
    `narration_of`: the job whose narration is reused.
    `clip_of`: the job whose finished video is used instead of a new clip.
    `voice`: whether the narration may be sent with the create request.
    """

    job_id: str | None
    narration_of: str | None
    clip_of: str | None
    voice: OrderedVoice


def new_job(
    request: VideoRequest,
    requester: Origin | Client,
    attachment: Attachment | None,
    *,
    backend: str,
    now: float,
    next_at: float,
    **sources: Unpack[JobSources],
) -> Job:
    """Return a job in the state `received`."""
    return Job(
        id=sources.get("job_id") or new_job_id(),
        state=JobState.RECEIVED,
        next_at=next_at,
        created_at=now,
        updated_at=now,
        backend=backend,
        request=request,
        requester=requester,
        attachment=attachment,
        narration_of=sources.get("narration_of"),
        clip_of=sources.get("clip_of"),
        voice=sources.get("voice", NO_VOICE),
    )
