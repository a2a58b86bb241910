"""Expresses a month's spending in words and figures, for the owner's chart and page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.jobs.costs.chart.figures import Figure, Figures, Ranking
from bot.texts import Dollars

if TYPE_CHECKING:
    from bot.jobs.costs.spending import SpendingReport
    from bot.texts import Texts
    from storage.ledger.spending import PersonSpending, ServerSpending

_MICROS = 1_000_000
_CENT = 10_000
# The steps between the grid lines of a chart. Each is multiplied by a power of ten.
_STEPS = (1, 2, 5)
_MOST_LINES = 4
_DAY_ABOVE = 3
"""A day's budget beyond this many times the highest day does not stretch the grid."""


class SpendingView:
    """Renders reports in the language of the reader."""

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def figures(self, report: SpendingReport) -> Figures:
        """Return the figures of a report."""
        spending, budgets = report.spending, report.budgets
        total = self._figure(self._say("spending.total"), spending.spent)
        month = self._budget("spending.month_budget", budgets.month)
        day = self._budget("spending.day_budget", budgets.day)
        days = tuple(
            self._figure(str(int(date[-2:])), spending.days.get(date, 0))
            for date in report.days_in_month
        )
        return Figures(
            language=self._texts.nearest(self._locale),
            title=self._say("spending.title", month=spending.month),
            summary=self._summary(total, month),
            day_heading=self._say("spending.days"),
            total=total,
            days=days,
            grid=self._grid(days, budgets.day),
            rankings=tuple(
                ranking
                for ranking in (self._servers(report), self._persons(report))
                if ranking.figures
            ),
            month_budget=month,
            day_budget=day,
        )

    def _summary(self, total: Figure, budget: Figure | None) -> str:
        if budget is None:
            return self._say("spending.spent", spent=total.text)
        return self._say("spending.spent_of", spent=total.text, budget=budget.text)

    def _servers(self, report: SpendingReport) -> Ranking:
        figures = [
            self._figure(self._server(report, each), each.spent) for each in report.spending.servers
        ]
        return self._ranking(self._say("spending.servers"), figures, report.spending.spent)

    def _persons(self, report: SpendingReport) -> Ranking:
        figures = [
            self._figure(self._person(report, each), each.spent) for each in report.spending.persons
        ]
        return self._ranking(self._say("spending.persons"), figures, report.spending.spent)

    def _ranking(self, heading: str, figures: list[Figure], total: int) -> Ranking:
        rest = total - sum(figure.amount for figure in figures) if figures else 0
        others = [self._figure(self._say("spending.others"), rest)] if rest > 0 else []
        return Ranking(heading=heading, total=total, figures=(*figures, *others))

    def _server(self, report: SpendingReport, entry: ServerSpending) -> str:
        kind, _, name = entry.server.partition(":")
        if kind == "client":
            return self._say("spending.client", name=name)
        if kind != "server":
            return self._say("spending.direct")
        return report.names.get(entry.server) or self._say("spending.server", id=name)

    def _person(self, report: SpendingReport, entry: PersonSpending) -> str:
        if entry.user_id is None:
            return self._say("spending.deleted")
        name = report.names.get(entry.user_id)
        return name or self._say("spending.person", id=str(entry.user_id))

    def _grid(self, days: tuple[Figure, ...], budget: int | None) -> tuple[Figure, ...]:
        highest = max(day.amount for day in days)
        if budget is not None and budget <= _DAY_ABOVE * highest:
            highest = max(highest, budget)
        highest = highest or _MICROS
        step = _step(highest)
        lines = -(-highest // step)
        return tuple(self._figure("", step * number) for number in range(lines + 1))

    def _budget(self, key: str, amount: int | None) -> Figure | None:
        if amount is None:
            return None
        text = self._dollars(amount)
        return Figure(name=self._say(key, budget=text), amount=amount, text=text)

    def _figure(self, name: str, amount: int) -> Figure:
        return Figure(name=name, amount=amount, text=self._dollars(amount))

    def _dollars(self, amount: int) -> str:
        # Half a cent is rounded up to a cent.
        return self._texts("spending.dollars", self._locale, amount=Dollars(amount / _MICROS))

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)


def _step(highest: int) -> int:
    """Return the distance between two grid lines, which is at least a cent."""
    power = _CENT
    while True:
        for step in _STEPS:
            if highest <= step * power * _MOST_LINES:
                return step * power
        power *= 10
