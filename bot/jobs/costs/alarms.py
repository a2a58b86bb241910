"""BudgetAlarms: finds the budgets that are nearly or wholly spent, to notify the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.ledger.budgets import month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.costs.calendar import Calendar
    from storage.ledger.budgets import Budgets, LedgerStore
    from storage.ledger.notices import BudgetNoticeStore

NEARLY, WHOLLY = 80, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetAlarm:
    """A budget that is nearly or wholly spent. Amounts are in micro-dollars.

    `is_month`: whether the budget is for a month, and not for a day.
    `period`: the day or month. `renewed_at`: the Unix time at which the next period begins.
    `percent`: the spent percentage of the budget, which is 80 or 100.
    """

    is_month: bool
    period: str
    percent: int
    spent: int
    budget: int
    renewed_at: float


class BudgetAlarms:
    """Compares the recorded costs with the budgets of the day and of the month.

    A budget with less than `price` left counts as spent, because the next clip is refused.
    """

    def __init__(
        self,
        ledger: LedgerStore,
        notices: BudgetNoticeStore,
        calendar: Calendar,
        *,
        price: int,
        budgets: Budgets,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._notices = notices
        self._calendar = calendar
        self._price = price
        self._budgets = budgets
        self._clock = clock

    async def due(self) -> list[BudgetAlarm]:
        """List the alarms about which the operator has not been notified yet."""
        now = self._clock()
        day, next_day = self._calendar.day(now), self._calendar.next_day(now)
        month, next_month = month_of(day), self._calendar.next_month(now)
        alarms = [
            await self._alarm(self._budgets.day, day, next_day, is_month=False),
            await self._alarm(self._budgets.month, month, next_month, is_month=True),
        ]
        return [alarm for alarm in alarms if alarm is not None]

    async def record(self, alarm: BudgetAlarm) -> None:
        """Record that the bot has tried to notify the operator of an alarm."""
        await self._notices.record(alarm.period, alarm.budget, alarm.percent)

    async def _alarm(
        self, budget: int | None, period: str, renewed_at: float, *, is_month: bool
    ) -> BudgetAlarm | None:
        if budget is None:
            return None
        spent = (await self._ledger.spending("all", period)).spent
        percent = self._percent(spent, budget)
        if percent == 0 or percent <= await self._notices.percent(period, budget):
            return None
        return BudgetAlarm(
            is_month=is_month,
            period=period,
            percent=percent,
            spent=spent,
            budget=budget,
            renewed_at=renewed_at,
        )

    def _percent(self, spent: int, budget: int) -> int:
        """Return 100 if all of the budget is spent, 80 if at least 80 % is, and 0 otherwise."""
        if spent == 0:
            return 0
        if spent + self._price > budget or spent >= budget:
            return WHOLLY
        return NEARLY if spent * 100 >= budget * NEARLY else 0
