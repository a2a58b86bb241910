"""The picture of a month's spending says the same as the ledger, in each language."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from bot.delivery.spending.view import SpendingView
from bot.errors import MediaError
from bot.jobs.costs.chart.figures import Figures
from bot.jobs.costs.chart.picture import ChartPicture
from bot.jobs.costs.spending import SpendingReport, is_month
from bot.storyboard.lettering.typefaces import Typefaces
from bot.texts import Texts
from storage.ledger.budgets import Budgets
from storage.ledger.spending import MonthSpending, PersonSpending, ServerSpending

DOLLAR = 1_000_000
TEXTS = Texts.load()
LANGUAGES = ("en", "de", "ja")
# A name of each kind of letter, a far too long one, one of marks and controls, and no letter.
NAMES = ("東京 🎬", "مرحبا", "A" * 5000, "Z\u0300" * 400 + "\u202e\x00\n", "\u200b", "\U0010ffff")


def report(budgets: Budgets | None = None, **days: int) -> SpendingReport:
    """Return a report of November; `days`: dollars by day, as `d27=3`."""
    spent = {f"2026-11-{day[1:]}": dollars * DOLLAR for day, dollars in days.items()}
    total = sum(spent.values())
    persons = (
        *(PersonSpending(user_id=number, spent=total // 10) for number, _ in enumerate(NAMES)),
        PersonSpending(user_id=None, spent=total // 10),
    )
    return SpendingReport(
        spending=MonthSpending(
            month="2026-11",
            spent=total,
            days=spent,
            servers=(
                ServerSpending(server="server:10", spent=total // 2),
                ServerSpending(server="dm", spent=total // 4),
            ),
            persons=persons if total else (),
        ),
        budgets=budgets or Budgets(),
        months=("2026-11",),
        names=dict(enumerate(NAMES)),
    )


def figures(found: SpendingReport, locale: str = "en") -> Figures:
    return SpendingView(TEXTS, locale).figures(found)


def test_the_figures_add_up_and_name_each_kind_of_payer() -> None:
    found = figures(report(d01=2, d27=18))
    assert (found.title, found.summary) == ("Spending in 2026-11", "$20.00 spent")
    assert [day.name for day in found.days] == [str(day) for day in range(1, 31)]
    assert [day.text for day in found.days if day.amount] == ["$2.00", "$18.00"]
    servers, persons = found.rankings
    assert [(row.name, row.text) for row in servers.figures] == [
        ("Server 10", "$10.00"),
        ("Direct messages", "$5.00"),
        ("All others", "$5.00"),
    ]
    assert [row.name for row in persons.figures][-2:] == [
        "A person whose data is deleted",
        "All others",
    ]
    for ranking in found.rankings:
        assert sum(row.amount for row in ranking.figures) == ranking.total == 20 * DOLLAR


@pytest.mark.parametrize(
    ("days", "budget", "highest"),
    [
        ({}, None, 1),
        ({"d01": 7}, None, 8),
        ({"d01": 7}, 9, 10),
        # A budget far above all days would flatten them.
        ({"d01": 7}, 500, 8),
        ({"d01": 430}, None, 600),
    ],
)
def test_the_grid_fits_the_highest_day_and_a_budget_near_it(
    days: dict[str, int], budget: int | None, highest: int
) -> None:
    budgets = Budgets(day=None if budget is None else budget * DOLLAR)
    grid = figures(report(budgets, **days)).grid
    assert (grid[0].amount, grid[-1].amount) == (0, highest * DOLLAR)
    assert len(grid) <= 5


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_word_of_the_picture_can_be_drawn(locale: str) -> None:
    found = figures(report(Budgets(day=DOLLAR, month=9 * DOLLAR), d27=3), locale)
    rows = [row.name for ranking in found.rankings for row in ranking.figures[-2:]]
    words = [found.title, found.summary, found.days[0].text, *rows]
    words += [ranking.heading for ranking in found.rankings]
    words += [budget.name for budget in (found.day_budget, found.month_budget) if budget]
    assert Typefaces().missing("".join(words)) == []
    assert Figures.from_json(found.to_json()) == found


async def test_the_picture_is_drawn_whatever_people_are_called() -> None:
    chart = ChartPicture()
    full = figures(report(Budgets(day=5 * DOLLAR, month=9 * DOLLAR), d01=6, d27=3), "ja")
    drawn = await asyncio.gather(chart.draw(full), chart.draw(figures(report())))
    with_rows, empty = (Image.open(io.BytesIO(picture)).convert("L") for picture in drawn)
    assert with_rows.width == empty.width == 1200
    assert with_rows.height > empty.height
    for picture in (with_rows, empty):
        # Light text on a dark ground, as in Discord.
        assert picture.getpixel((2, 2)) == pytest.approx(31, abs=2)
        assert max(picture.tobytes()) > 230


async def test_figures_that_can_not_be_drawn_are_an_error_and_not_a_crash() -> None:
    broken = Figures(
        language="en",
        title="",
        summary="",
        day_heading="",
        total=figures(report()).total,
        days=(),
        grid=(),
        rankings=(),
    )
    with pytest.raises(MediaError):
        await ChartPicture().draw(broken)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "1999-01", "\uff12026-01", "2026-01\n", ""])
def test_only_months_are_months(text: str) -> None:
    assert is_month("2026-12")
    assert not is_month(text)
