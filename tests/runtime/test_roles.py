"""Processes in their roles: which lanes they run, what they answer, and how a job crosses them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import app
from bot.errors import StartupError
from bot.jobs.worker import make_lanes
from bot.model import JobState
from bot.runtime import engine as engines
from bot.runtime.roles.role import Role, check_role, lanes_of
from bot.settings.fields import load_settings
from tests.support.fakes.remote_store import RemoteStore
from tests.support.media import clips
from tests.support.wire import FAST, Wire, free_port, open_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from bot.jobs.worker import Lane
    from bot.model import Job
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")

# Four processes in one start slowly on a busy machine.
PATIENCE = 60.0
OF_DISCORD = {
    JobState.DELIVERING,
    JobState.NOTIFYING,
    JobState.FAILED,
    JobState.UNDECIDED,
    JobState.CANCELLED,
}


async def no_step(job: Job) -> None:
    assert job


def states_of(role: Role) -> dict[str, set[JobState]]:
    lanes: tuple[Lane, ...] = lanes_of(role, make_lanes(dict.fromkeys(JobState, no_step)))
    return {lane.name: set(lane.steps) for lane in lanes}


def test_desk_and_workers_divide_the_lanes() -> None:
    every, desk, worker = (states_of(role) for role in Role)
    assert set().union(*desk.values()) == OF_DISCORD | {JobState.RECEIVED}
    assert set().union(*worker.values()) == set(JobState) - OF_DISCORD - {JobState.SUCCEEDED}
    assert every == desk | worker
    assert desk.keys() & worker.keys() == {"intake"}


@pytest.mark.parametrize("role", [Role.DESK, Role.WORKER])
@pytest.mark.usefixtures("_empty_environment")
def test_a_role_needs_a_database_and_a_bucket_that_all_processes_reach(role: Role) -> None:
    check_role(Role.ALL, load_settings())
    with pytest.raises(StartupError, match=f"DATABASE_URL and STORE_URL are missing.*{role}"):
        check_role(role, load_settings())
    database = {"database_url": "postgresql://db/clapper", "secret_key": "x" * 16}
    shared = database | {"video_backend": "openai", "openai_base_url": "http://127.0.0.1:1/v1"}
    with pytest.raises(StartupError, match=r"^STORE_URL is missing"):
        check_role(role, load_settings(**shared))
    check_role(role, load_settings(**shared, store_url="s3://bucket/prefix"))


class Fleet:
    """Processes on one database and one store, of which each has its own folder and port."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.ports: dict[str, int] = {}

    @asynccontextmanager
    async def run(self, name: str, role: Role, **overrides: Any) -> AsyncGenerator[asyncio.Event]:
        """Run a process in a task. The yielded event stops it."""
        stop = asyncio.Event()
        port = self.ports[name] = overrides.pop("http_port", None) or free_port()
        settings = self.wire.settings(data_dir=self.wire.folder / name, http_port=port, **overrides)
        task = asyncio.create_task(app.run(settings, role=role, timing=FAST, stop=stop), name=name)
        try:
            await self.until(name, "/healthz", HTTPStatus.OK)
            yield stop
        finally:
            stop.set()
            await task

    @asynccontextmanager
    async def ready(self, name: str) -> AsyncGenerator[None]:
        """Wait until a process is connected to Discord."""
        await self.until(name, "/readyz", HTTPStatus.OK)
        yield

    async def ask(self, name: str, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Return the status, the text and the `Retry-After` of an answer, or 0 if there is none."""
        url = f"http://127.0.0.1:{self.ports[name]}{path}"
        try:
            async with aiohttp.ClientSession() as http, http.request(method, url) as answer:
                return answer.status, await answer.text(), answer.headers.get("Retry-After", "")
        except aiohttp.ClientError:
            return 0, "", ""

    async def video(self, prompt: str, audio: Path | None = None) -> None:
        """Order a video, and wait until it is delivered and its job has ended."""
        discord = self.wire.fake_discord
        interaction = await self.wire.type(prompt, audio)
        card = await discord.answer_to(interaction, within=PATIENCE)
        await discord.wait_for(lambda: card.files, within=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while any(state != "succeeded" for state, _ in await asyncio.to_thread(self.wire.rows)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)

    async def until(self, name: str, path: str, status: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while (await self.ask(name, path))[0] != status:  # noqa: ASYNC110 - it sends no event
                await asyncio.sleep(0.02)


@pytest.fixture
async def fleet(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Fleet]:
    store = RemoteStore()

    async def open_store(_settings: object) -> RemoteStore:
        return store

    monkeypatch.setattr(engines, "open_file_store", open_store)
    url = await postgres.url_of(tmp_path)
    shared = {"database_url": url, "secret_key": "x" * 16, "store_url": "s3://clips/test"}
    async with open_wire(tmp_path, **shared) as wire:
        yield Fleet(wire)
    await postgres.empty_databases()


async def test_a_job_crosses_a_desk_and_two_workers_and_a_standby_takes_over(
    fleet: Fleet, tmp_path: Path
) -> None:
    voice = tmp_path / "voice.wav"
    clips.make_speech(voice, seconds=1)
    discord = fleet.wire.fake_discord
    async with (
        fleet.run("desk", Role.DESK) as stop,
        # A worker claims jobs once a desk has begun.
        fleet.ready("desk"),
        fleet.run("worker", Role.WORKER, http_port=fleet.wire.port, discord_token=""),
        fleet.run("other", Role.WORKER, discord_token=""),
        fleet.run("standby", Role.DESK),
    ):
        assert await fleet.ask("standby", "/healthz") == (200, "ok, standby\n", "")
        assert await fleet.ask("standby", "/readyz") == (503, "standby\n", "")
        assert (await fleet.ask("standby", "/d/unknown"))[0] == HTTPStatus.NOT_FOUND
        webhook = "/api/webhook/video-events"
        assert (await fleet.ask("standby", webhook, "POST"))[0] == HTTPStatus.UNAUTHORIZED
        for path in ("/", "/api/jobs", "/operator/access", "/ws"):
            status, _, pause = await fleet.ask("standby", path)
            assert (status, pause) == (HTTPStatus.SERVICE_UNAVAILABLE, "10")
        assert await fleet.ask("worker", "/readyz") == (200, "ready\n", "")
        await fleet.video("Explain how rainbows form", voice)
        stop.set()
        await fleet.until("standby", "/readyz", HTTPStatus.OK)
        await fleet.video("A cat on a skateboard")
    assert fleet.wire.creates() == 2
    assert len(discord.dms()) == 2
    assert len(discord.history.messages) == 4
    for name in ("worker", "other", "desk", "standby"):  # also where another process merged
        work = tmp_path / name / "work"
        assert not work.exists() or not list(work.iterdir())
