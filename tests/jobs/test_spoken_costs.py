"""Texts that are read aloud and prompts that are written count towards the budgets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import BackendError, ErrorKind, MediaError, UserError
from bot.jobs.costs.prices import Prices
from bot.model import Client, JobState, text_attachment
from storage.ledger.budgets import Budgets, month_of
from storage.speeches import SpeechCaps, SpeechRequester, SpeechStore
from tests.support.desk import make_narrator
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import REQUEST, VOICE, origin
from tests.support.fakes.prompts import FakeModerator, FakeWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.moderation.base import Reason
    from bot.speech.narrator import Narrator
    from storage.ledger.budgets import Reservation
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

CLIP, VOICE_PRICE, WRITER = 800_000, 20_000, 1_000
PRICES = Prices(clip=CLIP, voice=VOICE_PRICE, writer=WRITER)
ALL = CLIP + VOICE_PRICE + WRITER
TEXT = text_attachment("A lighthouse speaks.")


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def order_speech(narrator: Narrator) -> int | None:
    """Order a text as `/narrate` does."""
    requester = SpeechRequester(user_id=1, interaction_id=1)
    return await narrator.order(requester, origin(), "A lighthouse speaks.", None)


async def enter(context: AbstractAsyncContextManager[object]) -> None:
    """Enter a context, and leave it again."""
    async with context:
        pass


class StalledModerator(FakeModerator):
    """A moderation service that never answers."""

    async def check(self, texts: Sequence[str]) -> Reason | None:
        await super().check(texts)
        await asyncio.Event().wait()


async def spent(bench: Bench) -> int:
    """Return what is spent in this month, and check it against the entries."""
    rows = await bench.database.rows("SELECT coalesce(sum(amount), 0) AS sum FROM ledger", {})
    sums = await bench.ledger.spending("all", month_of(bench.budgeting.today))
    assert rows[0]["sum"] == sums.spent
    return sums.spent


async def test_an_order_reserves_all_that_it_can_cost_and_a_cancelled_one_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        for attachment, narration_of, expected in (
            (TEXT, None, ALL),
            (None, None, CLIP + WRITER),
            (VOICE, None, CLIP + WRITER),
            (TEXT, "another job", CLIP + WRITER),  # its narration is kept
        ):
            job = await bench.submit(attachment=attachment, narration_of=narration_of)
            assert await spent(bench) == job.micros == expected
            assert await bench.jobs.cancel(job.id) is not None
            assert await spent(bench) == 0


@pytest.mark.parametrize("is_kept", [False, True])
async def test_a_text_that_another_machine_paid_for_is_not_paid_for_again(
    tmp_path: Path, clock: Clock, *, is_kept: bool
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        job = await bench.submit(attachment=TEXT)
        # The voice is asked, and then the machine is lost with the job's folder.
        assert await bench.paid_requests.begin_speaking(await bench.claim(job.id))
        if is_kept:
            folder = await bench.workspace.create(job.id)
            folder.attachment.write_bytes(b"spoken")
            await bench.workspace.keep_narration(job.id)
        await bench.workspace.delete_folder(job.id)
        ended = await bench.step(job.id)
        assert bench.editor.spoken == []
        if is_kept:
            assert ended.state is JobState.QUEUED
        else:
            assert ended.failure is not None
            assert ended.failure.key == "speech.unsure"
            assert await spent(bench) == VOICE_PRICE


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ALL),
        (UserError("speech.refused"), 0),
        (UserError("speech.moderated"), 0),
        (UserError("speech.unsure"), VOICE_PRICE),
        (UserError("speech.unusable"), VOICE_PRICE),
    ],
)
async def test_a_text_costs_its_price_unless_the_voice_has_clearly_refused_it(
    tmp_path: Path, clock: Clock, fault: UserError | None, expected: int
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        bench.editor.faults += [fault] if fault else []
        job = await bench.submit(attachment=TEXT)
        await bench.step(job.id)
        assert await spent(bench) == expected
        if fault is None:
            await bench.jobs.cancel(job.id)
            assert await spent(bench) == VOICE_PRICE


async def test_a_cancelled_job_is_not_read_aloud(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        job = await bench.submit(attachment=TEXT)
        claimed = await bench.claim(job.id)
        await bench.jobs.cancel(job.id)
        await bench.pipeline.steps[JobState.RECEIVED](claimed)
        assert bench.editor.spoken == []
        assert await spent(bench) == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, WRITER),
        (BackendError(ErrorKind.AUTH, "no key"), 0),
        (BackendError(ErrorKind.TRANSIENT, "no answer"), WRITER),
    ],
)
async def test_a_prompt_costs_its_price_unless_the_writer_has_clearly_refused_it(
    tmp_path: Path, clock: Clock, fault: BackendError | None, expected: int
) -> None:
    writer = FakeWriter(faults=[fault] if fault else [])
    async with open_bench(tmp_path, clock, prices=PRICES, writer=writer) as bench:
        job = await bench.at(JobState.GENERATING)
        assert await spent(bench) == CLIP + expected
        bench.backend.finish()
        await bench.run_out(job.id)
        assert (await bench.now(job.id)).state is JobState.SUCCEEDED
        assert await spent(bench) == CLIP + expected


async def test_a_writer_that_sends_no_request_costs_nothing(tmp_path: Path, clock: Clock) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        await bench.at(JobState.GENERATING)
        assert await spent(bench) == CLIP


async def test_a_writer_that_may_have_charged_is_not_asked_again_after_a_crash(
    tmp_path: Path, clock: Clock
) -> None:
    writer = FakeWriter()
    async with open_bench(tmp_path, clock, prices=PRICES, writer=writer) as bench:
        job = await bench.submit()
        await bench.step(job.id)
        claimed = await bench.claim(job.id)
        assert await bench.paid_requests.begin_writing(claimed)
        bench.clock.advance(60)
        await bench.pipeline.steps[JobState.QUEUED](claimed)
        assert writer.written == []
        assert (await bench.now(job.id)).sent_prompt == REQUEST.prompt
        assert await spent(bench) == CLIP + WRITER


async def test_a_narration_for_a_finished_video_costs_the_voice_alone(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        first = await bench.at(JobState.SUCCEEDED)
        before = await spent(bench)
        added = await bench.submit(attachment=TEXT, clip_of=first.id)
        await bench.run_out(added.id)
        assert (await bench.now(added.id)).state is JobState.SUCCEEDED
        assert await spent(bench) == before + VOICE_PRICE


async def test_a_text_that_does_not_fit_into_the_budget_is_refused(
    tmp_path: Path, clock: Clock
) -> None:
    budgets = Budgets(day=ALL + VOICE_PRICE)
    async with open_bench(tmp_path, clock, prices=PRICES, budgets=budgets) as bench:
        await bench.submit(attachment=TEXT)
        with pytest.raises(UserError, match=r"budget\.day"):
            await bench.submit()
        store, caps = SpeechStore(bench.database), SpeechCaps(per_user=9, per_day=9)
        reservation = await bench.budgeting.for_speech(origin())
        listeners = [SpeechRequester(user_id=1, interaction_id=number) for number in range(5)]
        results = await asyncio.gather(
            *(store.count(each, caps, reservation, now=clock()) for each in listeners)
        )
        assert [isinstance(result, int) for result in results].count(True) == 1
        assert await spent(bench) == ALL + VOICE_PRICE


@pytest.mark.parametrize(
    ("fault", "reason", "expected"),
    [
        (None, None, VOICE_PRICE),
        (UserError("speech.refused"), None, 0),
        (UserError("speech.unsure"), None, VOICE_PRICE),
        (MediaError("the disk is full"), None, VOICE_PRICE),
        (None, "failed.moderated", 0),
    ],
)
async def test_a_text_without_a_video_is_settled_by_its_outcome(
    tmp_path: Path,
    clock: Clock,
    fault: Exception | None,
    reason: str | None,
    expected: int,
) -> None:
    voice = FakeVoice(b"no sound", faults=[fault or UserError("speech.unusable")])
    moderator = FakeModerator(reasons={"lighthouse": reason} if reason else {})  # pyright: ignore[reportArgumentType]
    async with open_bench(tmp_path, clock, prices=PRICES, moderator=moderator) as bench:
        narrator = make_narrator(bench, clock, voice)
        speech_id = await order_speech(narrator)
        assert speech_id is not None
        assert await order_speech(narrator) is None
        assert await spent(bench) == VOICE_PRICE
        with pytest.raises((UserError, MediaError)):
            await enter(narrator.speak("A lighthouse speaks.", speech_id))
        assert await spent(bench) == expected
        with pytest.raises((UserError, MediaError)):
            voice.faults[:] = [UserError("speech.refused")]
            await narrator.speak_for("shop", "A harbour speaks.")
        assert await spent(bench) == expected
        for row in await bench.database.rows("SELECT * FROM ledger WHERE server <> ''", {}):
            of_client = row["server"] == "client:shop"
            assert of_client is (row["payer"] == "")
            assert row["subject"] == "narration"


async def test_a_text_that_fits_once_its_refusal_is_explained_is_counted(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES, budgets=Budgets(day=ALL)) as bench:
        job, check = await bench.submit(attachment=TEXT), bench.budgeting.check

        async def check_later(reservation: Reservation) -> None:
            await bench.jobs.cancel(job.id)
            await check(reservation)

        monkeypatch.setattr(bench.budgeting, "check", check_later)
        narrator = make_narrator(bench, clock, FakeVoice(b"no sound"))
        requester = SpeechRequester(user_id=1, interaction_id=1)
        assert await narrator.order(requester, origin(), "A lighthouse speaks.", None) is not None
        assert await spent(bench) == VOICE_PRICE


async def test_a_crash_before_the_voice_is_asked_frees_the_price_of_a_text(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        assert await order_speech(make_narrator(bench, clock, FakeVoice(b""))) is not None
        assert await spent(bench) == VOICE_PRICE
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        await bench.retention.sweep()
        assert await spent(bench) == VOICE_PRICE  # another process may be about to read it aloud
        clock.advance(60 * 60 + 1)
        await bench.retention.sweep()
        assert await spent(bench) == 0


async def test_a_crash_after_the_voice_was_asked_keeps_the_price_of_a_text(
    tmp_path: Path, clock: Clock
) -> None:
    voice = FakeVoice(b"no sound")
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        narrator = make_narrator(bench, clock, voice)
        speech_id = await order_speech(narrator)
        assert speech_id is not None
        voice.answer.clear()
        speaking = asyncio.create_task(enter(narrator.speak("A lighthouse speaks.", speech_id)))
        await until(lambda: bool(voice.spoken))
        # This is what a crash would leave in the database.
        clock.advance(2 * 24 * 60 * 60)
        await bench.retention.sweep()
        assert await spent(bench) == VOICE_PRICE
        assert await bench.database.rows("SELECT * FROM speeches", {}) == []
        speaking.cancel()
        await asyncio.wait({speaking})


async def test_a_text_is_not_read_aloud_twice_for_one_price(tmp_path: Path, clock: Clock) -> None:
    voice = FakeVoice(b"no sound")
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        narrator = make_narrator(bench, clock, voice)
        speech_id = await order_speech(narrator)
        assert speech_id is not None
        for expected in ("speech.unusable", "speech.unsure"):
            with pytest.raises(UserError, match=expected):
                await enter(narrator.speak("A lighthouse speaks.", speech_id))
        assert len(voice.spoken) == 1
        assert await spent(bench) == VOICE_PRICE


async def test_a_client_is_told_which_budget_its_text_exceeds(tmp_path: Path, clock: Clock) -> None:
    budgets = Budgets(per_server_month=VOICE_PRICE - 1)
    async with open_bench(tmp_path, clock, prices=PRICES, budgets=budgets) as bench:
        narrator = make_narrator(bench, clock, FakeVoice(b""))
        with pytest.raises(UserError, match=r"budget\.server"):
            await narrator.speak_for("shop", "A harbour speaks.")
        with pytest.raises(UserError, match=r"budget\.server"):
            await bench.jobs.submit(REQUEST, Client(name="shop", key="1"), TEXT)
        assert await spent(bench) == 0


async def test_a_text_that_a_client_repeats_after_a_stop_is_counted_once(
    tmp_path: Path, clock: Clock
) -> None:
    voice = FakeVoice(b"no sound")
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        narrator = make_narrator(bench, clock, voice)
        voice.answer.clear()
        first = asyncio.create_task(narrator.speak_for("shop", "A harbour speaks."))
        await until(lambda: bool(voice.spoken))
        first.cancel()
        await asyncio.wait({first})
        with pytest.raises(UserError, match=r"speech\.unsure"):
            await narrator.speak_for("shop", "A harbour speaks.")
        assert len(voice.spoken) == 1
        assert await spent(bench) == VOICE_PRICE


async def test_a_text_that_is_cancelled_before_the_voice_is_asked_costs_nothing(
    tmp_path: Path, clock: Clock
) -> None:
    moderator = StalledModerator()
    async with open_bench(tmp_path, clock, prices=PRICES, moderator=moderator) as bench:
        narrator = make_narrator(bench, clock, FakeVoice(b"no sound"))
        first = asyncio.create_task(narrator.speak_for("shop", "A harbour speaks."))
        await until(lambda: bool(moderator.checked))
        assert await spent(bench) == VOICE_PRICE
        first.cancel()
        await asyncio.wait({first})
        assert await spent(bench) == 0


async def test_a_voice_that_may_have_charged_counts_when_a_later_attempt_fails_for_another_reason(
    tmp_path: Path, clock: Clock
) -> None:
    async with open_bench(tmp_path, clock, prices=PRICES) as bench:
        bench.editor.faults += [MediaError("a crash"), UserError("failed.clip_gone")]
        job = await bench.submit(attachment=TEXT)
        with pytest.raises(MediaError):
            await bench.step(job.id)
        bench.clock.advance(600)
        await bench.step(job.id)
        assert (await bench.now(job.id)).state is JobState.FAILED
        assert await spent(bench) == VOICE_PRICE
