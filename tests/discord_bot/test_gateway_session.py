"""The gateway connection: it is resumed, its pauses grow, and new sessions are few."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot.demo.fake_discord.server import FakeDiscord
from bot.discord_bot.bot import VideoBot
from bot.discord_bot.gateway.identify_budget import IdentifyBudget
from bot.discord_bot.gateway.session import GatewaySession
from bot.discord_bot.login import log_in
from bot.errors import StartupError
from storage.database import open_database
from storage.identifies import Identify, IdentifyStore
from tests.support.desk import make_services

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
DAY = 24 * 60 * 60.0


class Run:
    """A session that runs against the stand-in; its pauses pass at once, and move the clock."""

    def __init__(
        self, fake_discord: FakeDiscord, bot: VideoBot, bench: Bench, clock: Clock
    ) -> None:
        self.fake_discord = fake_discord
        self.bot = bot
        self.clock = clock
        self.application_id = bot.application_id or 0
        self.pauses: list[float] = []
        self.reports: list[str | None] = []
        self.report_times: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None
        self.store = IdentifyStore(bench.database)
        self.session = GatewaySession(
            bot,
            IdentifyBudget(self.store, clock=clock, sleep=self._sleep),
            first_pause=1.0,
            report=self._report,
            steady=clock,
            sleep=self._pause,
        )

    @property
    def gateway(self) -> Any:
        return self.fake_discord.gateway

    async def until(self, find: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not find():  # noqa: ASYNC110 - what the bot does with a frame sends no event here
                await asyncio.sleep(0.005)

    async def connected(self) -> None:
        """Wait until the bot has read all that the stand-in sends at once."""

        def is_connected() -> bool:
            socket = self.bot.ws
            sent = 2 + self.gateway.resumed
            return bool(self.gateway.ready and socket and (socket.sequence or 0) >= sent)

        await self.until(is_connected)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.on_pause()
        await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def _report(self, error: Exception | None) -> None:
        self.report_times.append(self.clock())
        self.reports.append(None if error is None else type(error).__name__)


@pytest.fixture
async def run(tmp_path: Path, bench: Bench, clock: Clock) -> AsyncGenerator[Run]:
    async with (
        FakeDiscord(tmp_path / "discord") as fake_discord,
        VideoBot(make_services(bench, clock)) as bot,
    ):
        await log_in(bot, fake_discord.token, api_url=fake_discord.url)
        yield Run(fake_discord, bot, bench, clock)
        # After sessions in quick succession, discord.py still waits for the servers of some.
        waiting = [task for task in asyncio.all_tasks() if "_delay_ready" in repr(task)]
        for task in waiting:
            task.cancel()
        events = [task for task in asyncio.all_tasks() if task.get_name().startswith("discord.py")]
        await asyncio.gather(*waiting, *events, return_exceptions=True)


@asynccontextmanager
async def running(run: Run) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(run.session.run(), name="gateway")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
async def test_a_code_that_is_final_is_a_sentence_with_advice(run: Run, code: int) -> None:
    async with running(run) as task:
        await run.connected()
        await run.gateway.drop(code)
        with pytest.raises(StartupError, match=rf"\(code {code}\): .{{20,}}") as caught:
            await asyncio.wait_for(task, 10)
    assert "\n" not in str(caught.value)
    assert (run.gateway.identified, run.pauses) == (1, [])


@pytest.mark.parametrize("code", [1000, 1001, 1006, 4000, 4001, 4002, 4005, 4008])
async def test_a_connection_that_is_closed_is_resumed_at_once(run: Run, code: int) -> None:
    async with running(run):
        await run.connected()
        await run.gateway.drop(1011 if code == 1006 else code)
        await run.until(lambda: run.gateway.resumed == 1)
    assert (run.gateway.identified, run.pauses) == (1, [0.0])
    assert run.reports == []


@pytest.mark.parametrize("code", [4003, 4007, 4009])
async def test_a_session_that_discord_has_ended_is_followed_by_a_new_one(
    run: Run, code: int
) -> None:
    async with running(run):
        await run.connected()
        await run.gateway.drop(code)
        await run.until(lambda: run.gateway.identified == 2)
    assert (run.gateway.resumed, run.pauses) == (0, [5.0])


async def test_a_connection_that_is_closed_again_and_again_is_opened_less_and_less_often(
    run: Run,
) -> None:
    async with running(run):
        for times in range(1, 12):
            await run.connected()
            await run.gateway.drop()
            await run.until(lambda times=times: len(run.pauses) == times)
            await run.until(lambda times=times: run.gateway.resumed == times)
    assert run.pauses == [0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]
    assert run.gateway.identified == 1


async def test_a_connection_that_lasted_begins_the_pauses_anew(run: Run) -> None:
    async with running(run):
        for times in range(1, 5):
            await run.connected()
            await run.gateway.drop()
            await run.until(lambda times=times: run.gateway.resumed == times)
        run.clock.advance(120)
        run.gateway.dispatch("TYPING_START", {})
        await run.until(lambda: run.reports)
        await run.gateway.drop()
        await run.until(lambda: run.gateway.resumed == 5)
    assert run.pauses == [0.0, 2.0, 4.0, 8.0, 0.0]
    assert run.reports == [None]


async def test_a_session_that_cannot_be_resumed_three_times_is_given_up(run: Run) -> None:
    async with running(run):
        await run.connected()
        run.gateway.refuse_resumes = True
        await run.gateway.drop()
        await run.until(lambda: run.gateway.identified == 2)
    assert run.gateway.resumed == 0
    assert run.pauses == [0.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "fields",
    [
        {"session_id": None},
        {"resume_gateway_url": 5},
        {"user": {}},
        {"guilds": [{"id": "x"}]},
        {"guilds": None},
    ],
    ids=str,
)
async def test_a_ready_that_cannot_be_read_costs_20_new_sessions_a_day(
    run: Run, fields: dict[str, Any]
) -> None:
    run.gateway.ready_fields = fields
    async with running(run):
        await run.until(lambda: len(run.reports) >= 25)
        run.gateway.ready_fields = {}
        await run.until(run.bot.is_ready)
    assert run.pauses[:6] == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0]
    assert max(run.pauses) == 3600.0
    # The first session follows no fault.
    times = run.report_times[1:]
    assert all(later - earlier >= DAY for earlier, later in zip(times, times[20:], strict=False))


async def test_sessions_that_discord_ends_at_once_are_opened_again_less_than_1000_times_a_day(
    run: Run,
) -> None:
    run.on_pause = run.gateway.forget_sessions
    # discord.py would announce each session as ready, also after the bot is closed.
    run.fake_discord.world.guilds.clear()
    begun = run.clock()
    async with running(run):
        while run.clock() - begun < DAY:
            before = run.gateway.identified
            await run.until(lambda before=before: run.gateway.identified > before)
            await run.gateway.drop(4009)
    assert 20 < run.gateway.identified < 900


async def budget_of(tmp_path: Path, clock: Clock, starts: int) -> list[float]:
    """Start the bot so often, each time with an open database, and return the waits."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    for _ in range(starts):
        async with open_database(tmp_path) as database:
            budget = IdentifyBudget(IdentifyStore(database), clock=clock, sleep=sleep)
            await budget.wait(7, after_fault=False)
            await budget.record(7, after_fault=False)
        clock.advance(1)
    return waits


async def test_a_loop_of_restarts_stays_below_the_daily_limit(tmp_path: Path, clock: Clock) -> None:
    begun = clock()
    await store_logins(tmp_path, clock, 395)
    assert await budget_of(tmp_path, clock, 5) == []
    waits = await budget_of(tmp_path, clock, 60)
    assert sum(waits) > 2 * 60 * 60
    per_hour = 60 / ((clock() - begun) / (60 * 60))
    assert 400 + 24 * per_hour < 1000


async def test_a_clock_that_is_set_back_does_not_block_logins_for_long(
    tmp_path: Path, clock: Clock
) -> None:
    await store_logins(tmp_path, clock, 420)
    for back in (10, 1000, 2 * DAY):
        clock.advance(-back)
        assert sum(await budget_of(tmp_path, clock, 1)) <= 2 * 60 * 60


async def store_logins(tmp_path: Path, clock: Clock, logins: int) -> None:
    """Store the new sessions of earlier processes, a second apart."""
    async with open_database(tmp_path) as database:
        store = IdentifyStore(database)
        for _ in range(logins):
            identify = Identify(at=clock(), after_fault=False)
            await store.record(7, identify, seconds=DAY)
            clock.advance(1)


async def test_a_database_that_is_gone_keeps_no_one_from_connecting(run: Run, bench: Bench) -> None:
    await bench.database.rows("DROP TABLE identifies", {})
    async with running(run):
        await run.connected()
    assert run.pauses == []


async def test_sessions_that_could_not_be_stored_count_for_a_day_only(
    bench: Bench, clock: Clock
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds)

    await bench.database.rows("DROP TABLE identifies", {})
    budget = IdentifyBudget(IdentifyStore(bench.database), clock=clock, sleep=sleep)
    for _ in range(400):
        await budget.record(7, after_fault=False)
    await budget.wait(7, after_fault=False)
    assert waits
    clock.advance(DAY)
    waits.clear()
    for _ in range(30):
        await budget.wait(7, after_fault=False)
        await budget.record(7, after_fault=False)
    assert waits == []


async def test_a_gateway_that_cannot_be_reached_costs_no_session_and_is_tried_less_and_less_often(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL("ws://127.0.0.1:1/"))
    async with running(run) as task:
        await run.until(lambda: len(run.pauses) >= 12)
        assert not task.done()
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(run.fake_discord.gateway_url))
        await run.connected()
    assert run.pauses[:5] == [5.0, 5.0, 5.0, 8.0, 16.0]
    assert max(run.pauses) == 300.0
    assert (run.gateway.identified, run.reports) == (1, [])
