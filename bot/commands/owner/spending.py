"""Shows what was spent in a month: as lines in the terminal, and as a picture in a file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bot.delivery.spending.view import SpendingView
from bot.errors import MediaError, StartupError
from bot.jobs.costs.calendar import Calendar
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.spending import MOST_NAMED, SpendingReport, is_month
from bot.runtime.costs import budgets_of, zone_of
from bot.texts import Texts
from storage.ledger.budgets import month_of
from storage.snapshot import read_spending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.commands.lasting_stream import LastingStream
    from bot.jobs.costs.chart.figures import Figure, Figures
    from bot.settings.fields import Settings


def show_spending(
    settings: Settings, out: LastingStream, *, month: str | None, target: Path | None
) -> int:
    """Write the spending of a month such as 2026-11, or of this month if `month` is None."""
    if month is not None and not is_month(month):
        raise StartupError(f"--month: {month!a} is not a month: write it like 2026-11.")
    month = month or month_of(Calendar(zone_of(settings)).day(time.time()))
    report = SpendingReport(
        spending=read_spending(settings.database, month, limit=MOST_NAMED),
        budgets=budgets_of(settings),
        months=(month,),
        names={},
    )
    figures = SpendingView(Texts.load(), "en").figures(report)
    for line in _lines(figures):
        out.write(f"{line}\n")
    if target is not None:
        _save(figures, target)
        out.write(f"Saved as {target}.\n")
    return 0


def _lines(figures: Figures) -> list[str]:
    lines = [figures.title, figures.summary]
    lines += _table(figures.day_heading, [day for day in figures.days if day.amount])
    for ranking in figures.rankings:
        lines += _table(ranking.heading, ranking.figures)
    return lines


def _table(heading: str, rows: Sequence[Figure]) -> list[str]:
    if not rows:
        return []
    width = max(len(row.name) for row in rows)
    return ["", heading, *(f"  {row.name:{width}}  {row.text:>10}" for row in rows)]


def _save(figures: Figures, target: Path) -> None:
    try:
        target.write_bytes(asyncio.run(ChartPicture().draw(figures)))
    except MediaError as error:
        raise StartupError(f"The picture can't be drawn: {error}.") from error
    except OSError as error:
        raise StartupError(f"{target}: can't be written ({error.strerror}).") from error
