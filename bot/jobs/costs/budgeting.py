"""Budgeting: reserves the price of each create request, and checks it against the budgets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.jobs.costs.amounts import dollars
from bot.model import Origin
from bot.texts import Moment
from storage.access.audit import AuditEntry
from storage.access.settings import EVERYWHERE
from storage.jobs.rows import queue_server_of
from storage.ledger.budgets import OrderedLength, Reservation, month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.costs.calendar import Calendar
    from bot.jobs.costs.payers import Payers
    from bot.jobs.costs.prices import ClipPrices
    from bot.model import Client, Job
    from bot.presets import ClipLengths
    from bot.texts import Dollars
    from storage.ledger.budgets import Budgets, LedgerStore
    from storage.ledger.notices import BudgetNoticeStore

#: The name of a grant in the audit.
GRANT = "grant"
_MICROS = 1_000_000


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
    """Reserves the price of each create request, and enforces the budgets."""

    def __init__(
        self,
        store: LedgerStore,
        payers: Payers,
        calendar: Calendar,
        notices: BudgetNoticeStore,
        *,
        prices: ClipPrices,
        lengths: ClipLengths,
        budgets: Budgets,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._payers = payers
        self._calendar = calendar
        self._notices = notices
        self._prices = prices
        self._lengths = lengths
        self._budgets = budgets
        self._clock = clock

    async def reservation(
        self, requester: Origin | Client, *, seconds: int | None = None
    ) -> Reservation:
        """Return the reservation for an order.

        `seconds`: the length of the clip. 0 if no clip is made, so that the order is free. None for
        a clip without a narration.
        """
        length = self._lengths.usual if seconds is None else seconds
        reservation = Reservation(
            price=self._prices.of(length) if length else 0,
            day=self.today,
            server=queue_server_of(requester),
            budgets=self._budgets,
        )
        if not isinstance(requester, Origin):
            return reservation
        payer = await self._payers.payer(requester.user_id, reservation.month)
        return replace(reservation, payer=payer)

    async def for_job(self, job: Job) -> Reservation:
        """Return the reservation for a new job. It is free if the job reuses a finished clip.

        With a narration, it is the price of the longest clip, because the narration's length is not
        known yet.
        """
        if job.clip_of is not None:
            seconds = 0
        elif job.attachment is not None:
            seconds = max(job.request.seconds, self._lengths.longest)
        else:
            seconds = job.request.seconds
        return await self.reservation(job.requester, seconds=seconds)

    async def for_retry(self, job: Job) -> Reservation:
        """Return the reservation for another create request of a job."""
        return await self.reservation(job.requester, seconds=job.request.seconds)

    def ordered(self, job: Job, sound_end: float) -> OrderedLength:
        """Return the length to order for a job. Its price replaces the price that was reserved.

        `sound_end`: the time in seconds at which the last sound of the narration ends.
        """
        seconds = self._lengths.for_sound(sound_end)
        fingerprint = replace(job.request, seconds=seconds).fingerprint
        return OrderedLength(
            seconds=seconds, fingerprint=fingerprint, price=self._prices.of(seconds)
        )

    @property
    def has_costs(self) -> bool:
        """True if a clip has a price. Only then is the spending of people recorded."""
        return self._prices.of(self._lengths.longest) > 0

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

    async def grant(self, user_id: int, amount: int, *, actor: int | None) -> RaisedBudget:
        """Allow a person to spend another `amount` micro-dollars in this month.

        The grant is recorded in the audit. `actor`: the Discord ID of the person who grants the
        amount, or None for the command line. Raises UserError if people have no budgets.
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
            value=f"{amount / _MICROS:.2f}",
            actor=actor,
        )
        await self._store.grant(payer, amount, day=day, entry=entry)
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
        if not reservation.price:
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
            if left < reservation.price:
                raise UserError(
                    key,
                    left=dollars(left),
                    price=dollars(reservation.price, rounding=math.ceil),
                    when=Moment(int(renewed_at)),
                )
