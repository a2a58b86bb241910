"""DMs to the operator while the queue is paused, and the cards of the jobs that wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.demo.fake_discord import api_errors
from bot.errors import DeliveryError, Trouble
from bot.model import HoldReason, JobState
from storage.jobs.queue_outlook import QueueOutlook
from storage.ledger.budgets import Budgets
from tests.support.desk import open_desk
from tests.support.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.delivery.operator_notices import OperatorNotices
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.wire import Payload
    from bot.model import Job
    from tests.support.desk import Desk


DAY_SECONDS = 24 * 60 * 60


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


def notices(desk: Desk) -> OperatorNotices:
    """Return the notices of a bot that has just started."""
    return desk.operator_notices()


def team(*members: tuple[User, str, int]) -> Payload:
    """Return a team in the JSON of Discord's API; the first member owns it."""
    return {
        "id": "9",
        "name": "The team",
        "icon": None,
        "owner_user_id": str(members[0][0].id),
        "members": [
            {
                "team_id": "9",
                "user": user.payload(),
                "role": role,
                "membership_state": state,
                "permissions": ["*"],
            }
            for user, role, state in members
        ],
    }


async def open_circuit(desk: Desk, trouble: Trouble = Trouble.AUTH) -> None:
    for _ in range(3):
        await desk.bench.circuit.refused(trouble, probing=False)


def dms(desk: Desk, user: User | None = None) -> list[str]:
    """Return the texts of the DMs that a user has received."""
    return [message.text for message in desk.fake_discord.dms(user)]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.AUTH, ("is rejecting my API key", "FAKE_API_KEY", "restart")),
        (Trouble.BALANCE, ("out of credit", "Top it up")),
        (Trouble.SETUP, ("FAKE_BASE_URL", "VIDEO_MODEL", "restart")),
    ],
)
async def test_the_owner_is_told_once_what_to_do_and_once_that_it_is_over(
    desk: Desk, trouble: Trouble, words: tuple[str, ...]
) -> None:
    await open_circuit(desk, trouble)
    for _ in range(3):
        await notices(desk).send_due()
    [dm] = dms(desk)
    assert all(word in dm for word in words)
    await desk.bench.circuit.accepted()
    for _ in range(3):
        await notices(desk).send_due()
    [_, over] = dms(desk)
    assert "accepts videos again" in over
    assert await desk.bench.circuits.get("fake") is None


async def test_an_outage_is_told_when_it_has_lasted(desk: Desk) -> None:
    await open_circuit(desk, Trouble.OUTAGE)
    desk.clock.advance(119)
    await notices(desk).send_due()
    assert dms(desk) == []
    desk.clock.advance(1)
    await notices(desk).send_due()
    [dm] = dms(desk)
    assert "can't be reached" in dm


async def test_an_outage_without_a_notice_ends_without_a_notice(desk: Desk) -> None:
    await open_circuit(desk, Trouble.OUTAGE)
    await desk.bench.circuit.accepted()
    await notices(desk).send_due()
    assert dms(desk) == []
    assert await desk.bench.circuits.get("fake") is None


async def test_another_reason_asks_for_something_else_and_is_told_too(desk: Desk) -> None:
    await open_circuit(desk)
    await notices(desk).send_due()
    for trouble in (Trouble.OUTAGE, Trouble.AUTH, Trouble.BALANCE, Trouble.OUTAGE):
        await desk.bench.circuit.refused(trouble, probing=True)
        desk.clock.advance(600)
        await notices(desk).send_due()
    assert ["is rejecting my API key" in text for text in dms(desk)] == [True, False]
    assert "out of credit" in dms(desk)[1]


async def test_a_dm_whose_commit_was_lost_is_not_sent_again(desk: Desk) -> None:
    await open_circuit(desk)
    before = await desk.bench.circuits.get("fake")
    await notices(desk).send_due()
    await desk.bench.database.row("UPDATE circuits SET told = NULL, reached = 0", {})
    assert await desk.bench.circuits.get("fake") == before
    await notices(desk).send_due()
    assert len(dms(desk)) == 1
    after = await desk.bench.circuits.get("fake")
    assert after is not None
    assert after.reached


async def test_a_circuit_that_opens_again_before_its_end_was_told_counts_as_one_opening(
    desk: Desk,
) -> None:
    await open_circuit(desk)
    await notices(desk).send_due()
    await desk.bench.circuit.accepted()
    desk.clock.advance(5)
    await open_circuit(desk)
    await notices(desk).send_due()
    assert len(dms(desk)) == 1
    await desk.bench.circuit.accepted()
    await notices(desk).send_due()
    assert len(dms(desk)) == 2


async def test_each_opening_is_told_by_itself(desk: Desk) -> None:
    for _ in range(2):
        await open_circuit(desk)
        await notices(desk).send_due()
        await desk.bench.circuit.accepted()
        await notices(desk).send_due()
        desk.clock.advance(3600)
    assert len(dms(desk)) == 4


async def test_a_teams_owner_admins_and_developers_are_told(desk: Desk) -> None:
    roles = {
        "boss": "",
        "admin": "admin",
        "dev": "developer",
        "reader": "read_only",
        "guest": "developer",
    }
    people = {name: desk.fake_discord.world.add_user(name) for name in roles}
    desk.fake_discord.world.team = team(
        *(
            (people[name], role, 1 if name == "guest" else 2)  # 1: invited only
            for name, role in roles.items()
        )
    )
    await open_circuit(desk)
    await notices(desk).send_due()
    notified = {name for name, user in people.items() if dms(desk, user)}
    assert notified == {"boss", "admin", "dev"}
    assert dms(desk) == []


async def test_a_discord_that_is_down_is_told_later(desk: Desk) -> None:
    await open_circuit(desk)
    for fault in ("GET /oauth2/applications/@me", "POST /users/@me/channels"):
        desk.fake_discord.faults.add(fault, api_errors.server_error(408))
        with pytest.raises(DeliveryError):
            await notices(desk).send_due()
    await notices(desk).send_due()
    assert len(dms(desk)) == 1


async def test_an_owner_who_takes_no_dms_is_asked_once_and_the_card_claims_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fake_discord.faults.add("POST /channels/*/messages", api_errors.DM_CLOSED, times=None)
    await open_circuit(desk)
    for _ in range(3):
        await notices(desk).send_due()
    assert len(desk.made("POST /channels/{channel_id}/messages")) == 1
    assert "operator.unreachable" in caplog.text
    job = await desk.bench.at(JobState.QUEUED)
    outlook = await QueueOutlook(desk.bench.database).of(job)
    assert (outlook.trouble, outlook.operator_knows) == (Trouble.AUTH, False)


async def test_a_command_is_accepted_meanwhile_and_its_card_says_why_it_waits(
    desk: Desk,
) -> None:
    await open_circuit(desk)
    _, message = await desk.video()
    assert "is rejecting my API key" in message.text
    assert "has been notified" not in message.text
    await notices(desk).send_due()
    _, message = await desk.video()
    assert "is rejecting my API key" in message.text
    assert "The operator has been notified" in message.text


async def on_hold(desk: Desk, hold: HoldReason) -> Job:
    """Return a job that is on hold."""
    job = await desk.bench.at(JobState.QUEUED)
    await desk.bench.holds.hold(await desk.bench.claim(job.id), hold, after=60)
    return job


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (HoldReason.DISK, ("less than 1 GB", "KEEP_GB", "24 hours")),
        (HoldReason.BACKEND, ("fake", "VIDEO_BACKEND", "24 hours")),
        (HoldReason.TWIN, ("hasn't responded", "paid for twice")),
        (HoldReason.UNANSWERED, ("fake", "isn't responding", "API key", "24 hours")),
    ],
)
async def test_the_owner_is_told_of_jobs_on_hold_once_and_of_their_end_once(
    desk: Desk, hold: HoldReason, words: tuple[str, ...]
) -> None:
    job = await on_hold(desk, hold)
    desk.clock.advance(120)
    for _ in range(3):
        await notices(desk).send_due()
    [dm] = dms(desk)
    assert all(word in dm for word in words)
    outlook = await QueueOutlook(desk.bench.database).of(await desk.bench.now(job.id))
    assert (outlook.hold, outlook.operator_knows) == (hold, True)
    assert desk.bench.changes[-1].outlook_only
    await desk.bench.jobs.cancel(job.id)
    for _ in range(3):
        await notices(desk).send_due()
    [_, over] = dms(desk)
    assert any(end in over for end in ("any more", "have all continued or ended"))


async def test_an_unanswered_twin_is_told_when_it_has_lasted(desk: Desk) -> None:
    await on_hold(desk, HoldReason.TWIN)
    desk.clock.advance(119)
    await notices(desk).send_due()
    assert dms(desk) == []


PRICE = 800_000


async def test_the_owner_is_told_once_of_each_budget_that_is_nearly_or_wholly_spent(
    tmp_path: Path,
) -> None:
    clock = Clock(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
    budgets = Budgets(day=5 * PRICE, month=10 * PRICE)
    async with open_desk(tmp_path, clock=clock, price=PRICE, budgets=budgets) as desk:

        async def order(clips: int) -> list[str]:
            before = len(dms(desk))
            for _ in range(clips):
                await desk.video()
            for _ in range(2):
                await notices(desk).send_due()
            return dms(desk)[before:]

        assert await order(3) == []
        [nearly] = await order(1)
        assert nearly.startswith("**$3.20 of today's budget of $4.00 is spent or reserved")
        assert "<t:1796083200:R>" in nearly
        assert "BUDGET_DAY" in nearly
        [spent] = await order(1)
        assert spent.startswith("**Today's budget is used up: $4.00 of $4.00 is spent or reserved")
        clock.advance(DAY_SECONDS)  # the next day is in the next month
        assert await order(0) == []
        [spent] = await order(5)
        assert spent.startswith("**Today's budget is used up")
        clock.advance(DAY_SECONDS)
        [nearly] = await order(3)
        assert nearly.startswith("**$6.40 of this month's budget of $8.00 is spent or reserved")
        first, second = sorted(await order(2))
        assert first.startswith("**This month's budget is used up: $8.00 of $8.00 is spent")
        assert second.startswith("**Today's budget is used up")


async def test_a_budget_without_the_price_of_a_clip_is_wholly_spent(tmp_path: Path) -> None:
    budgets = Budgets(day=2 * PRICE - 1)
    async with open_desk(tmp_path, price=PRICE, budgets=budgets) as desk:
        await notices(desk).send_due()
        assert dms(desk) == []
        await desk.video()
        await notices(desk).send_due()
        [spent] = dms(desk)
        assert spent.startswith("**Today's budget is used up: $0.80 of $1.59 is spent")
