"""The tables of the owner's page, as HTML. Every text in them is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.jobs.costs.chart.figures import Figure, Figures


def tables(figures: Figures) -> str:
    """Return one table of the days that have costs, and a table for each ranking."""
    days = tuple(day for day in figures.days if day.amount)
    found = [_table(figures.day_heading, days, figures.total)]
    found += [
        _table(ranking.heading, ranking.figures, figures.total) for ranking in figures.rankings
    ]
    return "\n".join(found)


def months(label: str, listed: Sequence[str], current: str) -> str:
    """Return links to the months. `label`: the name of the list."""
    items = "".join(_month(month, is_current=month == current) for month in listed)
    return f'<nav aria-label="{html.escape(label)}"><ul>{items}</ul></nav>'


def _month(month: str, *, is_current: bool) -> str:
    current = ' aria-current="page"' if is_current else ""
    escaped = html.escape(month)
    return f'<li><a href="owner?month={escaped}"{current}>{escaped}</a></li>'


def _table(caption: str, rows: Sequence[Figure], total: Figure) -> str:
    body = "".join(map(_row, rows))
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<tbody>{body}</tbody><tfoot>{_row(total)}</tfoot></table>"
    )


def _row(figure: Figure) -> str:
    return (
        f'<tr><th scope="row"><bdi>{html.escape(figure.name)}</bdi></th>'
        f"<td>{html.escape(figure.text)}</td></tr>"
    )
