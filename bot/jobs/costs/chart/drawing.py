"""Draws the chart. Imported only in the child process, because it loads Pillow and the fonts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from bot.jobs.costs.chart.pen import ChartBox, ChartPen, Letters

if TYPE_CHECKING:
    from bot.jobs.costs.chart.figures import Figure, Figures, Ranking

WIDTH = 1200
_MARGIN = 48
_INNER = WIDTH - 2 * _MARGIN
_PLOT_HEIGHT = 300
_ROW = 62
_GAP = 56
_LABEL_GAP = 20
# The number of days between two labels on the chart's axis.
_EVERY = 5
_BAR_SHARE = 0.64
_LOWEST_COLUMN = 4

_PAPER = (30, 31, 34)
_INK = (242, 243, 245)
_MUTED = (181, 186, 193)
_GRID = (64, 66, 73)
_TRACK = (53, 55, 60)
_BAR = (122, 162, 255)
_BUDGET = (250, 184, 60)
_OVER = (255, 120, 117)

_TITLE = Letters(size=42, colour=_INK, is_bold=True)
_SUMMARY = Letters(size=26, colour=_MUTED)
_HEADING = Letters(size=30, colour=_INK, is_bold=True)
_NAME = Letters(size=26, colour=_INK)
_AMOUNT = Letters(size=26, colour=_INK, is_bold=True)
_LABEL = Letters(size=22, colour=_MUTED)
_BUDGET_LABEL = Letters(size=22, colour=_BUDGET)


def draw(figures: Figures) -> Image.Image:
    """Return the chart on a dark background of its own."""
    rows = max((len(ranking.figures) for ranking in figures.rankings), default=0)
    top = _plot_top(figures)
    ranking_top = top + _PLOT_HEIGHT + 2 * _GAP
    rankings = _HEADING.size + 24 + rows * _ROW if rows else -_GAP
    picture = Image.new("RGB", (WIDTH, ranking_top + rankings + _MARGIN), _PAPER)
    pen = ChartPen(picture)
    _draw_head(pen, figures)
    _draw_plot(pen, figures, top)
    width = (_INNER - _GAP) // 2
    for number, ranking in enumerate(figures.rankings):
        x = _MARGIN + number * (width + _GAP)
        box = ChartBox(x=x, y=ranking_top, width=width, height=rankings)
        _draw_ranking(pen, ranking, box)
    return picture


def _plot_top(figures: Figures) -> int:
    meter = 44 if figures.month_budget else 0
    legend = 70 if figures.day_budget else 30
    return _MARGIN + _TITLE.size + 60 + meter + legend


def _draw_head(pen: ChartPen, figures: Figures) -> None:
    baseline = _MARGIN + _TITLE.size
    pen.write(figures.title, _MARGIN, baseline - 6, _TITLE, most=_INNER)
    pen.write(figures.summary, _MARGIN, baseline + 44, _SUMMARY, most=_INNER)
    budget = figures.month_budget
    if budget:
        share = figures.total.amount / budget.amount if budget.amount else 1.0
        _draw_meter(pen, ChartBox(x=_MARGIN, y=baseline + 70, width=_INNER, height=18), share)


def _draw_meter(pen: ChartPen, box: ChartBox, share: float) -> None:
    pen.bar(box, _TRACK)
    if share > 0:
        filled = max(box.height, round(box.width * min(1.0, share)))
        pen.bar(replace(box, width=filled), _OVER if share > 1 else _BAR)


def _draw_plot(pen: ChartPen, figures: Figures, top: int) -> None:
    labels = max(pen.width_of(figure.text, _LABEL) for figure in figures.grid)
    left = _MARGIN + labels + _LABEL_GAP
    plot = ChartBox(x=left, y=top, width=WIDTH - _MARGIN - left, height=_PLOT_HEIGHT)
    highest = figures.grid[-1].amount
    for figure in figures.grid:
        y = _row(figure.amount, highest, plot)
        pen.line(plot.x, plot.x + plot.width, y, _GRID)
        pen.write_ending(figure.text, left - 16, y + _LABEL.size // 3, _LABEL)
    _draw_days(pen, figures.days, highest, plot)
    budget = figures.day_budget
    if budget:
        if budget.amount <= highest:
            pen.dashes(plot.x, plot.x + plot.width, _row(budget.amount, highest, plot), _BUDGET)
        pen.dashes(_MARGIN, _MARGIN + 48, top - 38, _BUDGET)
        pen.write(budget.name, _MARGIN + 64, top - 30, _BUDGET_LABEL, most=_INNER - 64)


def _draw_days(pen: ChartPen, days: tuple[Figure, ...], highest: int, plot: ChartBox) -> None:
    slot = plot.width / len(days)
    lower = plot.y + plot.height
    for number, day in enumerate(days):
        if day.amount > 0:
            y = min(_row(day.amount, highest, plot), lower - _LOWEST_COLUMN)
            x = round(plot.x + slot * (number + (1 - _BAR_SHARE) / 2))
            box = ChartBox(x=x, y=y, width=round(slot * _BAR_SHARE), height=lower - y)
            pen.column(box, _BAR)
        if number == 0 or (number + 1) % _EVERY == 0:
            middle = round(plot.x + slot * (number + 0.5))
            pen.write_centred(day.name, middle, lower + 36, _LABEL)


def _row(amount: int, highest: int, plot: ChartBox) -> int:
    return plot.y + plot.height - round(plot.height * min(amount, highest) / highest)


def _draw_ranking(pen: ChartPen, ranking: Ranking, box: ChartBox) -> None:
    first = box.y + _HEADING.size
    pen.write(ranking.heading, box.x, first, _HEADING, most=box.width)
    for number, figure in enumerate(ranking.figures):
        row = replace(box, y=first + 24 + number * _ROW, height=_ROW)
        _draw_row(pen, figure, ranking.total, row)


def _draw_row(pen: ChartPen, figure: Figure, total: int, row: ChartBox) -> None:
    baseline = row.y + _NAME.size
    rest = row.width - pen.width_of(figure.text, _AMOUNT) - 24
    pen.write(figure.name, row.x, baseline, _NAME, most=rest)
    pen.write_ending(figure.text, row.x + row.width, baseline, _AMOUNT)
    share = figure.amount / total if total else 0.0
    _draw_meter(pen, replace(row, y=baseline + 14, height=8), share)
