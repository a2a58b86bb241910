"""Budgeting: reserves the price of each create request, and checks it against the budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.jobs.costs.amounts import dollars
from bot.jobs.costs.prices import Prices
from bot.model import Origin
from bot.texts import Moment
from storage.access.audit import AuditEntry
from storage.access.settings import EVERYWHERE
from storage.jobs.rows import queue_server_of
from storage.ledger.budgets import MICROS, OrderedLength, Reservation, month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.costs.calendar import Calendar
    from bot.jobs.costs.payers import Payers
    from bot.model import Client, Job
    from bot.presets import ClipLengths
    from bot.texts import Dollars
    from storage.ledger.budgets import Budgets, LedgerStore
    from storage.ledger.notices import BudgetNoticeStore

#: The name of a grant in the audit.
GRANT = "grant"


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthOfPerson:
    """The amount that a person has spent in this month.

    `budget`: the amount that the person may spend in this month, or None if there is no limit.
    `renewed_at`: the Unix time at which the next month begins.
    """

    spent: Dollars
    budget: Dollars | None
    renewed_at: Moment


@dataclass(frozen=True, kw_only=True, slots=True)
class RaisedBudget:
    """A person's budget for this month after a grant, and the part that is spent or reserved."""

    spent: Dollars
    budget: Dollars


class Budgeting:
    """Reserves the highest possible price of each order, and enforces the budgets."""

    def __init__(
        self,
        store: LedgerStore,
        payers: Payers,
        calendar: Calendar,
        notices: BudgetNoticeStore,
        *,
        prices: Prices,
        lengths: ClipLengths,
        budgets: Budgets,
        clock: Callable[[], float],
        shows_prices: bool = True,
    ) -> None:
        self._store = store
        self._payers = payers
        self._calendar = calendar
        self._notices = notices
        self._prices = prices
        self._lengths = lengths
        self._budgets = budgets
        self._clock = clock
        #: Whether people see what their orders cost.
        self.shows_prices = shows_prices

    async def for_clip(
        self, requester: Origin | Client, *, seconds: int | None = None
    ) -> Reservation:
        """Return the reservation for a create request.

        `seconds`: the length of the clip, or None for a clip without a narration.
        """
        length = self._lengths.usual if seconds is None else seconds
        return await self._reservation(requester, Prices(clip=self._prices.of_clip(length)))

    async def for_job(self, job: Job) -> Reservation:
        """Return the reservation for a new job.

        A job that reuses a finished clip needs no create request, and a narration that is attached
        or kept needs no voice. With a narration, the price of the longest clip is reserved, because
        the length of the narration is not known yet.
        """
        is_created = job.clip_of is None
        has_text = job.attachment is not None and job.attachment.text is not None
        is_spoken = has_text and job.narration_of is None
        longest = job.request.seconds if job.attachment is None else self._lengths.longest
        prices = Prices(
            clip=self._prices.of_clip(longest) if is_created else 0,
            voice=self._prices.voice if is_spoken else 0,
            writer=self._prices.writer if is_created else 0,
        )
        return await self._reservation(job.requester, prices)

    async def for_speech(self, requester: Origin | Client) -> Reservation:
        """Return the reservation for reading aloud a text that belongs to no job."""
        return await self._reservation(requester, Prices(voice=self._prices.voice))

    def ordered(self, job: Job, sound_end: float) -> OrderedLength:
        """Return the length to order for a job, and the price of that length.

        This price replaces the price that was reserved.

        `sound_end`: the time in seconds at which the last sound of the narration ends.
        """
        seconds = self._lengths.for_sound(sound_end)
        return OrderedLength(
            seconds=seconds,
            fingerprint=replace(job.request, seconds=seconds).fingerprint,
            price=self._prices.of_clip(seconds),
        )

    async def _reservation(self, requester: Origin | Client, prices: Prices) -> Reservation:
        reservation = Reservation(
            price=prices.clip,
            voice_price=prices.voice,
            writer_price=prices.writer,
            day=self.today,
            server=queue_server_of(requester),
            budgets=self._budgets,
        )
        if not isinstance(requester, Origin):
            return reservation
        payer = await self._payers.payer(requester.user_id, reservation.month)
        return replace(reservation, payer=payer)

    @property
    def has_costs(self) -> bool:
        """True if anything has a price. Only then are sums stored about people."""
        return self._prices.has_any

    @property
    def has_person_budget(self) -> bool:
        """True if each person has a budget."""
        return self._budgets.per_user_month is not None

    async def month_of(self, requester: Origin) -> MonthOfPerson:
        """Return a person's spending and budget in this month. The budget includes any grants."""
        month = month_of(self.today)
        payer = await self._payers.payer(requester.user_id, month)
        sums = await self._store.spending(f"person:{payer}", month)
        budget = self._budgets.per_user_month
        return MonthOfPerson(
            spent=dollars(sums.spent),
            budget=None if budget is None else dollars(budget + sums.granted),
            renewed_at=Moment(int(self._calendar.next_month(self._clock()))),
        )

    @property
    def today(self) -> str:
        """Today's date in the operator's time zone, such as 2026-11-30."""
        return self._calendar.day(self._clock())

    async def grant(
        self, user_id: int, amount: int, *, grant_id: str, actor: int | None
    ) -> RaisedBudget:
        """Allow a person to spend another `amount` micro-dollars in this month.

        A repetition with the same `grant_id` grants nothing more. The grant is recorded in the
        audit. `actor`: the Discord ID of the person who grants the amount, or None for the command
        line. Raises UserError if people have no budgets, or if `grant_id` belongs to another grant.
        """
        budget = self._budgets.per_user_month
        if budget is None:
            raise UserError("budget.none")
        now, day = self._clock(), self.today
        payer = await self._payers.payer(user_id, month_of(day))
        entry = AuditEntry(
            at=now,
            scope=EVERYWHERE,
            name=GRANT,
            target=user_id,
            value=f"{amount / MICROS:.2f}",
            actor=actor,
        )
        if not await self._store.grant(payer, amount, grant_id=grant_id, day=day, entry=entry):
            raise UserError("budget.other_grant")
        sums = await self._store.spending(f"person:{payer}", month_of(day))
        return RaisedBudget(spent=dollars(sums.spent), budget=dollars(budget + sums.granted))

    async def sweep(self) -> None:
        """Delete the payers' keys of earlier months, and the notices about those months.

        Without the key, a ledger entry of a month can't be traced to a person.
        """
        month = month_of(self.today)
        await self._store.delete_keys(before=month)
        await self._notices.delete(before=month)

    async def check(self, reservation: Reservation) -> None:
        """Raise UserError if a reservation exceeds a budget. The error names that budget."""
        if not reservation.total:
            return
        now, month = self._clock(), reservation.month
        next_day, next_month = self._calendar.next_day(now), self._calendar.next_month(now)
        budgets, person = self._budgets, f"person:{reservation.payer}"
        for key, budget, scope, period, renewed_at in (
            ("budget.person", budgets.per_user_month, person, month, next_month),
            ("budget.server", budgets.per_server_month, reservation.server, month, next_month),
            ("budget.day", budgets.day, "all", reservation.day, next_day),
            ("budget.month", budgets.month, "all", month, next_month),
        ):
            if budget is None or (key == "budget.person" and not reservation.payer):
                continue
            sums = await self._store.spending(scope, period)
            left = max(0, budget + sums.granted - sums.spent)
            if left < reservation.total:
                raise UserError(
                    key,
                    left=dollars(left),
                    price=dollars(reservation.total, rounding=math.ceil),
                    when=Moment(int(renewed_at)),
                )
