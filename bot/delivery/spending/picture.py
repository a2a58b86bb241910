"""SpendingPicture: a month's spending as figures and as a picture, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.spending.view import SpendingView

if TYPE_CHECKING:
    from bot.jobs.costs.chart.figures import Figures
    from bot.jobs.costs.chart.picture import ChartPicture
    from bot.jobs.costs.spending import Names, SpendingReports
    from bot.texts import Texts


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthFigures:
    """The figures of a month such as 2026-11.

    `months`: all months that have entries, newest first.
    """

    month: str
    months: tuple[str, ...]
    figures: Figures


class SpendingPicture:
    """Reads and draws what was spent in a month. Only the bot's owner may see the result."""

    def __init__(self, reports: SpendingReports, texts: Texts, chart: ChartPicture) -> None:
        self._reports = reports
        self._texts = texts
        self._chart = chart

    async def read(self, month: str | None, names: Names, locale: str) -> MonthFigures:
        """Return the spending of a month, or of this month if `month` is None."""
        report = await self._reports.of_month(month, names)
        return MonthFigures(
            month=report.spending.month,
            months=report.months,
            figures=SpendingView(self._texts, locale).figures(report),
        )

    async def draw(self, spending: MonthFigures) -> bytes:
        """Return the picture as a PNG file. Raises MediaError if the picture can't be drawn."""
        return await self._chart.draw(spending.figures)
