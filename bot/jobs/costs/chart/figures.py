"""Figures: a month's spending, labelled in one language, for the chart and the owner's page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """An amount in micro-dollars with its name. `text`: the amount as people read it."""

    name: str
    amount: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The servers or persons with the most spending. `total`: the amount that fills a whole bar."""

    heading: str
    total: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """A month's spending.

    `days`: one figure for each day of the month. `grid`: the amounts at the chart's grid lines, in
    ascending order. `total`: what is spent in the month. `month_budget` and `day_budget`: None if
    there is no such budget.
    """

    language: str
    title: str
    summary: str
    day_heading: str
    total: Figure
    days: tuple[Figure, ...]
    grid: tuple[Figure, ...]
    rankings: tuple[Ranking, ...]
    month_budget: Figure | None = None
    day_budget: Figure | None = None

    def to_json(self) -> str:
        """Return the figures as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Figures:
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(
            language=fields["language"],
            title=fields["title"],
            summary=fields["summary"],
            day_heading=fields["day_heading"],
            total=Figure(**fields["total"]),
            days=_figures(fields["days"]),
            grid=_figures(fields["grid"]),
            rankings=tuple(
                Ranking(
                    heading=ranking["heading"],
                    total=ranking["total"],
                    figures=_figures(ranking["figures"]),
                )
                for ranking in fields["rankings"]
            ),
            month_budget=_budget(fields["month_budget"]),
            day_budget=_budget(fields["day_budget"]),
        )


def _figures(rows: list[dict[str, Any]]) -> tuple[Figure, ...]:
    return tuple(Figure(**row) for row in rows)


def _budget(row: dict[str, Any] | None) -> Figure | None:
    return Figure(**row) if row else None
