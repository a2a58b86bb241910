"""The gate, which decides whether an order is accepted before anything is stored or spent."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.moderation.access.rules import refusal_by
from bot.texts import Moment
from storage.access.settings import EVERYWHERE, AccessSettings, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.moderation.access.place import Membership, OrderPlace, Reach
    from storage.access.pause import Pause
    from storage.access.settings import AccessSettingsStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """The settings that apply to an order.

    `everywhere`: the operator's settings. `server`: the settings of the order's server.
    `home`: for an order from outside all servers, the server that it counts towards, or None.
    """

    everywhere: AccessSettings = field(default_factory=AccessSettings)
    server: AccessSettings = field(default_factory=AccessSettings)
    home: Membership | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The gate's decision about an order. `refusal` is None if the order is accepted."""

    terms: Terms
    refusal: UserError | None = None


class Gate:
    """Accepts the orders that both the operator and the server's managers allow.

    All orders are checked, including those from the API, the web page and the command line. The
    managers can restrict orders further, but can't allow any that the operator refuses.
    `count`: is called with the reason of each refusal.
    """

    def __init__(
        self,
        reach: Reach,
        settings: AccessSettingsStore,
        *,
        clock: Callable[[], float],
        count: Callable[[str], None] = lambda _reason: None,
    ) -> None:
        self.reach = reach
        self._settings = settings
        self._clock = clock
        self._count = count

    async def check(self, place: OrderPlace | None) -> Terms:
        """Return the settings that apply to an order. Raises UserError if the order is refused.

        `place`: the order's place in Discord, or None if it comes from an API client.
        """
        verdict = await self.judge(place)
        if verdict.refusal is not None:
            reason = verdict.refusal.key
            self._count(reason)
            log.info("order.refused reason=%s user=%d", reason, place.user_id if place else 0)
            raise verdict.refusal
        return verdict.terms

    async def judge(self, place: OrderPlace | None) -> Verdict:
        """Decide about an order from a place.

        Unlike `check`, this doesn't count or log a refusal.
        """
        if place is None:
            found = await self._settings.read((EVERYWHERE,))
            return self._unless_paused(Verdict(terms=Terms(everywhere=found[EVERYWHERE])))
        here = place.membership
        members = place.memberships if here is None else (here,)
        scopes = (EVERYWHERE, *(member.server_id for member in members))
        found = await self._settings.read(scopes, person=place.user_id)
        if here is None:
            return self._unless_paused(self._judge_outside(place, found))
        return self._unless_paused(self._judge_member(place, here, found))

    def asks_membership(self, place: OrderPlace) -> bool:
        """Return whether the decision about a place depends on the servers the requester is in."""
        is_outside = place.membership is None
        return is_outside and self.reach.takes_outside(place) and self.reach.needs_membership

    def _unless_paused(self, verdict: Verdict) -> Verdict:
        """Refuse an order during the operator's pause. Other reasons for a refusal are kept."""
        pause = verdict.terms.everywhere.pause
        if verdict.refusal is not None or pause is None or not pause.lasts(self._clock()):
            return verdict
        return replace(verdict, refusal=_refusal_of_pause(pause))

    def _judge_outside(self, place: OrderPlace, found: Mapping[int, AccessSettings]) -> Verdict:
        everywhere = found[EVERYWHERE]
        terms = Terms(everywhere=everywhere)
        if not self.reach.takes_outside(place):
            key = "access.dm" if place.is_dm else "access.user_install"
            return Verdict(terms=terms, refusal=UserError(key))
        if place.server_id is not None and everywhere.servers.get(place.server_id) is Rule.DENY:
            # The operator has denied this server. A person's own installation of the bot doesn't
            # change that.
            return Verdict(terms=terms, refusal=UserError("access.server"))
        if everywhere.person is Rule.DENY or not self.reach.needs_membership:
            return Verdict(
                terms=terms, refusal=refusal_by(everywhere, place, None, scope=EVERYWHERE)
            )
        if not place.memberships:
            return Verdict(terms=terms, refusal=UserError("access.not_a_member"))
        verdicts = [self._judge_member(place, member, found) for member in place.memberships]
        admitted = next((each for each in verdicts if each.refusal is None), None)
        if admitted is not None:
            return admitted
        return Verdict(terms=verdicts[0].terms, refusal=UserError("access.no_home"))

    def _judge_member(
        self, place: OrderPlace, member: Membership, found: Mapping[int, AccessSettings]
    ) -> Verdict:
        """Decide about an order that counts towards the server of the given membership."""
        everywhere, server = found[EVERYWHERE], found[member.server_id]
        home = member if place.membership is None else None
        terms = Terms(everywhere=everywhere, server=server, home=home)
        is_denied = everywhere.servers.get(member.server_id) is Rule.DENY
        if is_denied or not self.reach.allows_server(member.server_id):
            return Verdict(terms=terms, refusal=UserError("access.server"))
        refusal = refusal_by(everywhere, place, member, scope=EVERYWHERE) or refusal_by(
            server, place, member, scope=member.server_id
        )
        return Verdict(terms=terms, refusal=refusal)


def _refusal_of_pause(pause: Pause) -> UserError:
    if pause.until is None:
        return UserError("access.paused", words=pause.words)
    return UserError("access.paused_until", words=pause.words, when=Moment(pause.until))
