"""The ledger's sums are right and no budget is passed, in whatever order things happen."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.errors import UserError
from bot.jobs.costs.prices import Prices
from bot.model import TRANSITIONS, Client, Job, JobState, text_attachment
from storage.jobs.store import Changes
from storage.ledger.budgets import Budgets
from storage.speeches import SpeechCaps, SpeechRequester, SpeechStore
from tests.support.fakes.bench import Bench, open_bench
from tests.support.fakes.clock import Clock
from tests.support.fakes.orders import REQUEST, VOICE, origin

PRICE = 800_000
PRICES = Prices(clip=PRICE, voice=30_000, writer=7_000)
TEXT = text_attachment("A lighthouse speaks.")
BUDGETS = Budgets(
    day=5 * PRICE, month=9 * PRICE, per_user_month=4 * PRICE, per_server_month=7 * PRICE
)
# The end of a month is near, so that walks pass it.
START = 1_795_900_000.0
DAY_SECONDS = 24 * 60 * 60
PEOPLE = (1, 2)
COSTS = st.sampled_from([None, 0.0, 0.3, PRICE / 1_000_000])

# Ids are random, and the same walk has to find the same jobs again.
IN_ORDER = "SELECT id FROM jobs ORDER BY rowid"
SUMS = """
SELECT scope, period, spent, granted FROM ledger_sums ORDER BY scope, period
"""
FROM_ENTRIES = """
SELECT scope, period, sum(amount) AS spent, sum(granted) AS granted FROM (
    SELECT 'all' AS scope, day AS period, amount, granted FROM ledger WHERE granted = 0
    UNION ALL SELECT 'all', substr(day, 1, 7), amount, granted FROM ledger WHERE granted = 0
    UNION ALL SELECT server, substr(day, 1, 7), amount, granted FROM ledger WHERE server <> ''
    UNION ALL SELECT 'person:' || payer, substr(day, 1, 7), amount, granted FROM ledger
        WHERE payer <> '')
GROUP BY scope, period ORDER BY scope, period
"""
TOTALS = """
SELECT subject, kind, amount FROM ledger_totals ORDER BY subject, kind
"""
TOTALS_FROM_ENTRIES = """
SELECT subject, kind, sum(amount + granted) AS amount FROM ledger
GROUP BY subject, kind ORDER BY subject, kind
"""
GRANTS = "SELECT id FROM ledger WHERE granted <> 0"
OF_JOBS = """
SELECT jobs.id, coalesce(settled_micros, reserved_micros)
    + coalesce(voice_settled_micros, voice_reserved_micros)
    + coalesce(writer_settled_micros, writer_reserved_micros) AS cost,
    (SELECT coalesce(sum(amount), 0) FROM ledger WHERE job_id = jobs.id) AS entries
FROM jobs
"""


class LedgerWalk(RuleBasedStateMachine):
    """Orders, moves, retries, deletes and grants at random, with crashes in between."""

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock, self.numbers = Clock(START), itertools.count(1)
        self.open()

    def open(self) -> None:
        self.stack = AsyncExitStack()
        root = Path(self.folder.name)
        opened = open_bench(root, self.clock, prices=PRICES, budgets=BUDGETS)
        self.bench: Bench = self.run(self.stack.enter_async_context(opened))

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.run(self.bench.database.rows(sql, {}))]

    def jobs(self, *states: JobState) -> list[Job]:
        found = [self.run(self.bench.now(row["id"])) for row in self.rows(IN_ORDER)]
        return [job for job in found if not states or job.state in states]

    @rule(people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=6), client=st.booleans())
    def order_at_once(self, people: list[int], client: bool) -> None:  # noqa: FBT001 - drawn
        async def order(user_id: int) -> None:
            number = next(self.numbers)
            requester = Client(name="shop", key=str(number)) if client else origin(user_id=user_id)
            try:
                # A job waits while the same prompt is unconfirmed, so each has its own.
                request = replace(REQUEST, prompt=f"prompt {number}")
                text = TEXT if number % 2 else None
                job = await self.bench.jobs.submit(request, requester, text)
            except UserError as error:
                assert error.key.startswith(("budget.", "caps."))  # noqa: PT017 - it may pass too
                return
            assert job is not None
            await self.bench.jobs.acknowledge(job.id, message_id=number)

        async def order_all() -> None:
            await asyncio.gather(*map(order, people))

        self.run(order_all())

    @precondition(lambda self: self.jobs())
    @rule(data=st.data(), cost=COSTS)
    def move(self, data: st.DataObject, cost: float | None) -> None:
        job = data.draw(st.sampled_from(self.jobs()))
        to = [state for state in TRANSITIONS[job.state] if (job.state, state) != _RETRY]
        if not to:
            return
        state = data.draw(st.sampled_from(sorted(to)))
        if state is JobState.SUBMITTING:
            self.run(self.bench.jobs.begin_submit(job))
            return
        has_clip = state not in _EARLY
        if has_clip and job.remote_id is None and state is not JobState.GENERATING:
            return  # a job without a remote job has no clip
        remote_id = job.id if state is JobState.GENERATING else None
        self.run(self.bench.jobs.move(job, state, Changes(remote_id=remote_id, cost=cost)))

    @precondition(lambda self: self.jobs(JobState.RECEIVED))
    @rule()
    def lose_an_answer(self) -> None:
        job = self.jobs(JobState.RECEIVED)[0]
        for state in _TO_UNDECIDED:
            if state is JobState.SUBMITTING:
                job = self.run(self.bench.jobs.begin_submit(job))
            else:
                job = self.run(self.bench.jobs.move(job, state))

    @precondition(lambda self: self.jobs(JobState.RECEIVED, JobState.QUEUED))
    @rule(data=st.data(), is_free=st.booleans())
    def ask_the_voice_or_the_writer(self, data: st.DataObject, is_free: bool) -> None:  # noqa: FBT001 - drawn
        job = data.draw(st.sampled_from(self.jobs(JobState.RECEIVED, JobState.QUEUED)))
        if job.state is JobState.RECEIVED:
            self.run(self.bench.paid_requests.begin_speaking(job))
            if is_free:
                self.run(self.bench.jobs.move(job, JobState.FAILED, Changes(voice_is_free=True)))
            return
        self.run(self.bench.paid_requests.begin_writing(job))
        if is_free:
            self.run(self.bench.paid_requests.record_refusal(job))
        self.run(self.bench.jobs.write_prompt(job, job.request.prompt))

    @rule(user_id=st.sampled_from(PEOPLE), is_settled=st.booleans(), is_free=st.booleans())
    def narrate(self, user_id: int, is_settled: bool, is_free: bool) -> None:  # noqa: FBT001 - drawn
        async def narrate() -> None:
            number, now = next(self.numbers), self.clock()
            store, caps = SpeechStore(self.bench.database), SpeechCaps(per_user=999, per_day=999)
            reservation = await self.bench.budgeting.for_speech(origin(user_id=user_id))
            requester = SpeechRequester(user_id=user_id, interaction_id=number)
            counted = await store.count(requester, caps, reservation, now=now)
            if is_settled and isinstance(counted, int):
                await store.begin_speaking(counted, now=now)
                if is_free:
                    await store.release(counted, now=now)

        self.run(narrate())

    @precondition(lambda self: self.jobs(JobState.UNDECIDED))
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.jobs(JobState.UNDECIDED)))
        try:
            self.run(self.bench.jobs.retry_undecided(job.id))
        except UserError as error:
            assert error.key.startswith("budget.")  # noqa: PT017 - it may pass too

    @precondition(lambda self: self.jobs(JobState.SUCCEEDED))
    @rule(data=st.data())
    def add_a_narration(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.jobs(JobState.SUCCEEDED)))
        before = self.rows("SELECT count(*) AS entries FROM ledger")
        self.run(self.bench.jobs.submit(REQUEST, origin(user_id=9), VOICE, clip_of=job.id))
        assert self.rows("SELECT count(*) AS entries FROM ledger") == before

    @rule(user_id=st.sampled_from(PEOPLE), amount=st.integers(1, 3 * PRICE))
    def grant(self, user_id: int, amount: int) -> None:
        grants = len(self.rows(GRANTS))
        grant_id = f"{next(self.numbers):032x}"
        for _ in range(2):  # a repetition grants nothing more
            granted = self.bench.budgeting.grant(user_id, amount, grant_id=grant_id, actor=None)
            self.run(granted)
        assert len(self.rows(GRANTS)) == grants + 1

    @rule(seconds=st.sampled_from([60, DAY_SECONDS]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.run(self.bench.budgeting.sweep())

    @rule()
    def restart(self) -> None:
        self.run(self.stack.aclose())
        self.open()

    @rule()
    def delete_ended_jobs(self) -> None:
        for job in self.jobs(JobState.FAILED, JobState.CANCELLED, JobState.SUCCEEDED):
            self.run(self.bench.database.rows("DELETE FROM jobs WHERE id = :id", {"id": job.id}))

    @invariant()
    def sums_are_those_of_the_entries(self) -> None:
        if hasattr(self, "bench"):
            assert self.rows(SUMS) == self.rows(FROM_ENTRIES)

    @invariant()
    def totals_are_those_of_the_entries(self) -> None:
        if hasattr(self, "bench"):
            assert self.rows(TOTALS) == self.rows(TOTALS_FROM_ENTRIES)

    @invariant()
    def each_job_costs_what_its_entries_say(self) -> None:
        if hasattr(self, "bench"):
            assert all(row["cost"] == row["entries"] for row in self.rows(OF_JOBS))

    @invariant()
    def no_budget_is_passed(self) -> None:
        for row in self.rows(SUMS) if hasattr(self, "bench") else []:
            assert 0 <= row["spent"] <= _budget(row["scope"], row["period"]) + row["granted"], row


_RETRY = (JobState.UNDECIDED, JobState.QUEUED)
_TO_UNDECIDED = (
    JobState.QUEUED,
    JobState.SUBMITTING,
    JobState.UNCONFIRMED,
    JobState.UNDECIDED,
)
_EARLY = {
    JobState.RECEIVED,
    JobState.QUEUED,
    JobState.SUBMITTING,
    JobState.UNCONFIRMED,
    JobState.UNDECIDED,
    JobState.FAILED,
    JobState.CANCELLED,
}


def _budget(scope: str, period: str) -> int:
    if scope == "all":
        budget = BUDGETS.month if len(period) == len("2026-11") else BUDGETS.day
    else:
        is_person = scope.startswith("person:")
        budget = BUDGETS.per_user_month if is_person else BUDGETS.per_server_month
    assert budget is not None
    return budget


TestLedgerWalks = LedgerWalk.TestCase
TestLedgerWalks.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
