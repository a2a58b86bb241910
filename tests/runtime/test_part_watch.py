"""An error in one part restarts that part: the process goes on, and the operator learns of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from pydantic import SecretStr

from bot.commands.checks.failing_parts import examine_failing_parts
from bot.delivery.operator_notices import OperatorNotices
from bot.delivery.progress import ProgressCards
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.gateway.session import GatewaySession
from bot.errors import StartupError
from bot.jobs.changes.webhook_receiver import WebhookReceiver
from bot.jobs.queue import JobQueue
from bot.jobs.service import JobService
from bot.jobs.waits.clock_watcher import ClockWatcher
from bot.jobs.waits.holds import Holds
from bot.library.orphans import OrphanCounter
from bot.library.remote_deletion import RemoteDeletion
from bot.library.retention import Retention
from bot.metrics import Metrics
from bot.runtime.part_watch import PartWatch
from bot.runtime.roles.relay import relayed
from bot.settings.fields import Settings
from bot.web.prometheus import PrometheusMetrics
from storage.failing_parts import FailingPartStore
from storage.postgres.notices import open_notices
from tests.support.desk import open_desk
from tests.support.wire import FAST, WITHIN, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from bot.runtime.engine import Engine
    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock
    from tests.support.postgres import PostgresServer
    from tests.support.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TOKEN = "a-token-for-metrics"
# Each long-lived part, with a method that it runs.
PARTS: list[tuple[str, type, str]] = [
    ("gateway", GatewaySession, "run"),
    ("command sync", VideoBot, "keep_commands_synced"),
    ("progress cards", ProgressCards, "_start_due"),
    ("operator notices", OperatorNotices, "_send_about_holds"),
    ("remote deletion", RemoteDeletion, "delete_remote_jobs"),
    ("clock", ClockWatcher, "check"),
    ("holds", Holds, "check"),
    ("orphan counter", OrphanCounter, "run"),
    ("loop metrics", PrometheusMetrics, "watch_loop"),
    ("sweep", JobService, "sweep"),
    ("webhook sweep", WebhookReceiver, "sweep"),
    ("retention", Retention, "sweep"),
    ("intake worker", JobQueue, "seconds_until_due"),
]


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncGenerator[Wire]:
    async with open_wire(tmp_path, metrics_token=TOKEN) as opened:
        yield opened


def fail(monkeypatch: pytest.MonkeyPatch, part: type, method: str, times: int) -> list[int]:
    """Make the first calls of a real part's method fail, and return a list that grows by each."""
    works: Any = getattr(part, method)
    calls: list[int] = []

    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(len(calls))
        if len(calls) <= times:
            raise LookupError("a secret prompt")
        return works(self, *args, **kwargs)

    monkeypatch.setattr(part, method, failing)
    return calls


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - a part that fails sends no event here
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("name", "part", "method"), PARTS, ids=[name for name, *_ in PARTS])
async def test_a_part_that_fails_is_restarted_and_the_bot_goes_on(
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    part: type,
    method: str,
) -> None:
    calls = fail(monkeypatch, part, method, times=4)
    async with wire.bot() as running:
        await until(lambda: len(calls) > 4)
        await wire.wait_for_video(await wire.video("A cat"))
        await wire.wait_for_job()
        assert not running.done()
        url = f"http://127.0.0.1:{wire.port}/metrics"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
            session.get(url) as response,
        ):
            metrics = await response.text()
        if part is not JobQueue:  # which every worker uses
            assert f'clapper_part_failures_total{{part="{name}"}} 4.0' in metrics
            found = examine_failing_parts(wire.data_dir)
            assert not found.ok
            assert f"{name} failed 4 times (LookupError)" in found.found
            assert "secret" not in found.found


async def test_the_operator_is_told_once_a_day_of_a_part_that_keeps_failing(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        store = FailingPartStore(desk.bench.database)
        for failures in (3, 4, 5):
            await store.record("retention", error="OSError", failures=failures, now=desk.clock())
            await desk.operator_notices().send_due()
        assert [dm.text.count("retention") for dm in desk.fake_discord.dms()] == [1]
        await store.mark_recovered("retention")
        await store.record("retention", error="OSError", failures=3, now=desk.clock())
        await desk.operator_notices().send_due()
        assert len(desk.fake_discord.dms()) == 1
        desk.clock.advance(24 * 60 * 60 + 1)
        await store.record("holds", error="OSError", failures=3, now=desk.clock())
        await desk.operator_notices().send_due()
        assert "holds, retention" in desk.fake_discord.dms()[-1].text


async def test_the_operator_is_told_again_of_a_part_that_has_failed_for_another_day(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        store = FailingPartStore(desk.bench.database)
        for failures in (3, 300, 600):
            await store.record("retention", error="OSError", failures=failures, now=desk.clock())
            await desk.operator_notices().send_due()
            desk.clock.advance(24 * 60 * 60 + 1)
        assert [dm.text.count("retention") for dm in desk.fake_discord.dms()] == [1, 1, 1]


async def test_a_notice_that_fails_does_not_keep_the_others_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        fail(monkeypatch, OperatorNotices, "_send_about_circuit", times=10)
        await desk.second_bot.record(desk.bot.application_id or 0, 5)
        with pytest.raises(LookupError):
            await desk.operator_notices().send_due()
        assert "token" in desk.fake_discord.dms()[0].text


@pytest.fixture
def watch(bench: Bench, clock: Clock) -> PartWatch:
    return PartWatch(
        FailingPartStore(bench.database),
        first_pause=0.001,
        count=lambda _name: None,
        clock=clock,
        lasting=0.05,
    )


async def running(watch: PartWatch, run: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
    return asyncio.create_task(watch.keep_running("part", run), name="part")


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    "error",
    [RuntimeError(), KeyError("x"), RecursionError(), MemoryError(), asyncio.CancelledError()],
    ids=repr,
)
async def test_any_error_restarts_a_part_until_it_recovers(
    bench: Bench, watch: PartWatch, error: BaseException
) -> None:
    failures = iter([error] * 5)
    store, recovered = FailingPartStore(bench.database), asyncio.Event()

    async def run() -> None:
        if failure := next(failures, None):
            raise failure
        recovered.set()
        await asyncio.Event().wait()

    task = await running(watch, run)
    await asyncio.wait_for(recovered.wait(), 5)
    [failing] = await store.all()
    assert (failing.name, failing.failures) == ("part", 5)
    async with asyncio.timeout(5):
        while await store.all():  # noqa: ASYNC110 - a recovery sends no event here
            await asyncio.sleep(0.01)
    await ended(task)


async def test_a_part_that_returns_is_run_again(bench: Bench, watch: PartWatch) -> None:
    runs: list[None] = []

    async def run() -> None:
        runs.append(None)

    task = await running(watch, run)
    await until(lambda: len(runs) > 3)
    assert (await FailingPartStore(bench.database).all())[0].error == "EndedError"
    watch.stop()
    await asyncio.wait_for(task, 5)


async def test_a_bug_in_the_exchange_of_changes_does_not_end_it(
    bench: Bench, postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await postgres.url_of(tmp_path)
    failures, published, job = iter([RuntimeError()]), asyncio.Event(), await bench.submit()

    async def refresh() -> None:
        if failure := next(failures, None):
            raise failure
        published.set()

    engine = SimpleNamespace(
        bus=bench.bus,
        store=bench.store,
        circuit=SimpleNamespace(refresh=refresh),
        metrics=Metrics(),
        timing=FAST,
        resources=SimpleNamespace(
            settings=Settings(database_url=SecretStr(url)),
            database=bench.database,
            clock=bench.clock,
        ),
    )
    other = open_notices(url)
    sending = asyncio.create_task(other.run(lambda _text: asyncio.sleep(0)), name="other")
    async with relayed(cast("Engine", engine)), asyncio.timeout(20):
        while not published.is_set():
            other.send(f'["{job.id}", null, true]')
            await asyncio.sleep(0.05)
    await ended(sending)
    await postgres.empty_databases()


async def test_what_the_operator_has_to_change_ends_a_part(watch: PartWatch) -> None:
    async def run() -> None:
        raise StartupError("DISCORD_TOKEN: ...")

    with pytest.raises(StartupError):
        await watch.keep_running("part", run)


async def test_a_part_that_is_cancelled_ends(watch: PartWatch) -> None:
    begun = asyncio.Event()

    async def run() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = await running(watch, run)
    await begun.wait()
    await ended(task)
    assert task.cancelled()


async def test_a_database_that_is_gone_does_not_keep_a_part_from_being_restarted(
    bench: Bench, watch: PartWatch
) -> None:
    await bench.database.rows("DROP TABLE failing_parts", {})
    runs: list[None] = []

    async def run() -> None:
        runs.append(None)
        raise RuntimeError

    task = await running(watch, run)
    await until(lambda: len(runs) > 6)
    await ended(task)
