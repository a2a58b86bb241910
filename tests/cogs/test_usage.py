"""`/usage`: what a person has used of each limit, and when one more is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.jobs.caps import Caps
from storage.ledger.budgets import Budgets
from tests.support.desk import open_desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.desk import Desk

HOUR = 3600
pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


async def usage(desk: Desk) -> list[str]:
    """Type the command, and return the lines of the answer, which only the person sees."""
    answer = await desk.fake_discord.answer_to(await desk.fake_discord.slash("usage"))
    assert answer.ephemeral
    return answer.text.splitlines()


async def test_usage_tells_what_is_used_and_left_and_when_one_more_is(tmp_path: Path) -> None:
    caps = Caps(open_per_user=2, open_in_all=99, per_day=100, per_user_day=10, per_server_day=50)
    async with open_desk(tmp_path, caps=caps) as desk:
        world, bench = desk.fake_discord.world, desk.bench
        here = {"guild_id": world.guild.id}
        await bench.submit(user_id=5, guild_id=8)
        bench.clock.advance(HOUR)
        await bench.submit(user_id=world.user.id, **here)
        when = f"<t:{int(bench.clock()) + 24 * HOUR + 1}:R>"
        first = f"<t:{int(bench.clock()) + 23 * HOUR + 1}:R>"
        bench.clock.advance(HOUR)
        assert await usage(desk) == [
            "**What you have requested, and what is left**",
            "- Your videos in progress: 1 of 2",
            f"- Your videos of the last 24 hours: 1 of 10, 9 left (one more {when})",
            f"- This server's videos of the last 24 hours: 1 of 50, 49 left (one more {when})",
            f"- All videos of the last 24 hours: 2 of 100, 98 left (one more {first})",
        ]
        bench.clock.advance(25 * HOUR)
        assert (await usage(desk))[2:] == [
            "- Your videos of the last 24 hours: 0 of 10, 10 left",
            "- This server's videos of the last 24 hours: 0 of 50, 50 left",
            "- All videos of the last 24 hours: 0 of 100, 100 left",
        ]


@pytest.mark.parametrize(
    ("locale", "line"),
    [("de", "- Deine Videos in Arbeit: 0 von 2"), ("ja", "- あなたの制作中の動画: 2本中0本")],
)
async def test_usage_is_told_in_a_persons_language(tmp_path: Path, locale: str, line: str) -> None:
    caps = Caps(open_per_user=2, open_in_all=99, per_day=100, per_user_day=10)
    async with open_desk(tmp_path, caps=caps) as desk:
        desk.fake_discord.world.user = desk.fake_discord.world.add_user("ada", locale=locale)
        assert line in await usage(desk)


@pytest.mark.parametrize(
    ("budget", "lines"),
    [
        (None, ("- Your requests have cost $1.60 this month",)),
        (
            4_000_000,
            ("- Your requests have used $1.60 of your $4.00 this month; your budget is renewed <",),
        ),
    ],
)
async def test_usage_tells_what_a_person_has_spent(
    tmp_path: Path, budget: int | None, lines: tuple[str]
) -> None:
    budgets = Budgets(per_user_month=budget)
    async with open_desk(tmp_path, price=800_000, budgets=budgets) as desk:
        for _ in range(2):
            await desk.bench.submit(user_id=desk.fake_discord.world.user.id)
        await desk.bench.submit(user_id=5)
        [line] = [line for line in await usage(desk) if "$" in line]
        assert line.startswith(lines)
        desk.bench.budgeting.shows_prices = False
        shown = [line for line in await usage(desk) if "$" in line]
        assert shown == ([] if budget is None else [line])
