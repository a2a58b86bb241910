"""Tests the rows of texts that were read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.model import JobState
from storage.ledger.budgets import Reservation
from storage.speeches import KeptSpeech, SpeechCaps, SpeechRequester, SpeechStore

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_on_each_database")

DAY = 24 * 60 * 60
PRICE = 20_000
NARRATION = "5" * 32


async def count(bench: Bench, number: int, price: int = 0) -> int:
    """Count a text of the person 7, and return the number of its row."""
    requester = SpeechRequester(user_id=7, interaction_id=number)
    reservation = Reservation(voice_price=price, day=bench.budgeting.today)
    caps = SpeechCaps(per_user=9, per_day=9)
    counted = await SpeechStore(bench.database).count(
        requester, caps, reservation, now=bench.clock()
    )
    assert isinstance(counted, int)
    return counted


async def spent(bench: Bench) -> list[int]:
    """Return the amounts in the ledger that change what is spent."""
    sql = "SELECT amount FROM ledger WHERE amount <> 0 ORDER BY id"
    return [row["amount"] for row in await bench.database.rows(sql, {})]


async def test_a_price_counts_from_before_the_voice_is_asked(bench: Bench) -> None:
    store, now = SpeechStore(bench.database), bench.clock()
    asked, released, abandoned = [await count(bench, number, PRICE) for number in range(3)]
    assert await store.begin_speaking(asked, now=now)
    assert not await store.begin_speaking(asked, now=now)
    for _ in range(2):
        await store.release(released, now=now)
    assert not await store.begin_speaking(released, now=now)
    await store.release_abandoned(before=now, now=now)  # the last one is too new
    assert await spent(bench) == [PRICE, PRICE, PRICE, -PRICE]
    await store.release_abandoned(before=now + 1, now=now)
    assert await spent(bench) == [PRICE, PRICE, PRICE, -PRICE, -PRICE]
    assert not await store.begin_speaking(abandoned, now=now)
    await store.release(asked, now=now)  # the voice has clearly refused it
    assert sum(await spent(bench)) == 0


async def test_a_text_is_kept_for_a_day_and_longer_if_a_job_is_about_to_use_it(
    bench: Bench,
) -> None:
    store = SpeechStore(bench.database)
    kept, other = await count(bench, 1), await count(bench, 2)
    await store.keep(kept, "A lighthouse.", narration_id=NARRATION)
    now = bench.clock()
    assert await store.kept(other, now=now) is None
    assert await store.kept(kept, now=now) == KeptSpeech(
        user_id=7, text="A lighthouse.", narration_id=NARRATION
    )
    assert await store.narrations_of(7) == [NARRATION]
    assert await store.narrations_of(8) == []
    job = await bench.submit(narration_of=NARRATION)
    now += DAY
    assert await store.kept(kept, now=now) is None
    assert await store.expired_narrations(now=now) == []
    await bench.jobs.move(await bench.now(job.id), JobState.CANCELLED)
    assert await store.expired_narrations(now=now) == [NARRATION]
    await store.delete_old(now=now)
    assert await store.narrations_of(7) == [NARRATION]  # until its sound is deleted
    await store.forget(NARRATION)
    await store.delete_old(now=now)
    assert await bench.database.rows("SELECT id FROM speeches", {}) == []


async def test_a_row_whose_text_may_not_be_stored_still_counts_as_a_record(bench: Bench) -> None:
    speech_id = await count(bench, 1)
    ordered_at = bench.clock()
    bench.clock.advance(60)
    for _ in range(2):  # the second deletion finds the row that the first has marked
        deletion = await bench.retention.delete_all(7)
        assert deletion.rows_until == ordered_at + DAY
    assert not await SpeechStore(bench.database).keep(speech_id, "No.", narration_id=NARRATION)
