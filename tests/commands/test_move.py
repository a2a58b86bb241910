"""`python -m bot move`: everything goes on with PostgreSQL and a bucket, on another machine."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.__main__ import main
from bot.commands import move as command
from bot.commands.lasting_stream import LastingStream
from bot.commands.move import move
from bot.errors import StartupError
from bot.links import load_secret
from bot.media.files.stores.base import narration_key, video_key
from bot.model import JobState, text_attachment
from bot.runtime.resources import open_resources
from bot.settings.fields import load_settings
from storage.database import open_database
from storage.snapshot import list_jobs
from tests.support.fakes import bench as benches
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import START, Clock
from tests.support.fakes.deliverer import FakeDeliverer
from tests.support.fakes.orders import REQUEST, VOICE
from tests.support.fakes.remote_store import RemoteStore
from tests.support.old_install.install import install

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from bot.model import Job
    from bot.settings.fields import Settings
    from tests.support.fakes.bench import Bench
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.usefixtures("_empty_environment")
PRICE = 800_000
TEXT = text_attachment("Once upon a time")
#: A job in one of these states stays there, because a person has to decide, or has decided.
STAYS = frozenset({JobState.UNDECIDED, JobState.FAILED, JobState.CANCELLED})


@pytest.fixture
async def url(postgres: PostgresServer, tmp_path: Path) -> AsyncGenerator[str]:
    """Return the URL of the database that a bench opens in the folder `there`."""
    yield await postgres.url_of(tmp_path / "there")
    await postgres.empty_databases()


@pytest.fixture
def bucket() -> RemoteStore:
    return RemoteStore()


def settings_in(data_dir: Path, **others: Any) -> Settings:
    return load_settings(data_dir=data_dir, store_url="s3://bucket", **others)


async def moved(data_dir: Path, url: str, bucket: RemoteStore) -> str:
    """Move everything, and return what was printed."""
    printed = io.StringIO()
    await move(settings_in(data_dir), url, bucket, LastingStream(printed))
    return printed.getvalue()


async def jobs_in_each_state(bench: Bench) -> Mapping[JobState, Job]:
    """Bring a job of its own into each state. Some have a narration."""
    jobs: dict[JobState, Job] = {}
    for state in reversed(JobState):
        request = replace(REQUEST, prompt=f"A cat that is {state}")
        narrated = state in {JobState.GENERATING, JobState.MERGING, JobState.DELIVERING}
        attachment = TEXT if state is JobState.RECEIVED else VOICE if narrated else None
        jobs[state] = await bench.at(state, request, attachment=attachment)
    # The voice has answered, and then the bot was stopped.
    folder = await bench.workspace.create(jobs[JobState.RECEIVED].id)
    await asyncio.to_thread(folder.attachment.write_bytes, b"spoken")
    return jobs


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, except those of the database and those that a move adds."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.name: path.read_bytes()
        for path in files
        if not path.name.startswith("clapper.") and path.name not in {"moved.txt", "secret.env"}
    }


async def test_jobs_in_each_state_go_on_and_nothing_is_ordered_twice(
    tmp_path: Path, url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    clock, bucket, deliverer = Clock(), RemoteStore(), FakeDeliverer()
    backend = FakeBackend(clock)
    async with open_bench(here, clock, backend=backend, deliverer=deliverer, price=PRICE) as bench:
        jobs = await jobs_in_each_state(bench)
        spent = await bench.ledger.spending("all", bench.budgeting.today[:7])
        found = {state: await bench.now(job.id) for state, job in jobs.items()}
        history = {job.id: await bench.events(job.id) for job in jobs.values()}
    assert {state: job.state for state, job in found.items()} == {
        state: state for state in JobState
    }
    before = await asyncio.to_thread(content_of, here)
    charged = Counter(job.request.prompt for job in backend.charged.values())

    await moved(here, url, bucket)

    assert await asyncio.to_thread(content_of, here) == before
    assert bucket.files[narration_key(jobs[JobState.RECEIVED].id)] == b"spoken"
    assert video_key(jobs[JobState.SUCCEEDED].id) in bucket.files
    monkeypatch.setattr(benches, "open_database", postgres.open)
    async with open_bench(
        there, clock, backend=backend, deliverer=deliverer, price=PRICE, files=bucket
    ) as bench:
        assert {state: await bench.now(job.id) for state, job in jobs.items()} == found
        assert await bench.ledger.spending("all", bench.budgeting.today[:7]) == spent
        for state, job in jobs.items():
            ended = await bench.run_out(job.id)
            assert ended.state is (state if state in STAYS else JobState.SUCCEEDED), state
            events = await bench.events(job.id)
            assert events[: len(history[job.id])] == history[job.id]
            assert events[-1][1] == ended.state
        assert bench.editor.spoken == []
    now_charged = Counter(job.request.prompt for job in backend.charged.values())
    for state in JobState:
        prompt = found[state].request.prompt
        is_new = state in {JobState.RECEIVED, JobState.QUEUED, JobState.SUBMITTING}
        assert now_charged[prompt] == charged[prompt] + is_new, state
    assert set(deliverer.dms.values()) == {1}
    assert len(deliverer.dms) == len(JobState) - len(STAYS)


async def test_a_move_is_repeated_without_harm_until_the_target_is_used(
    tmp_path: Path, clock: Clock, url: str, bucket: RemoteStore
) -> None:
    here = tmp_path / "here"
    async with open_bench(here, clock) as bench:
        bench.backend.finish()
        await bench.run_out((await bench.submit()).id)
    first, second = await moved(here, url, bucket), await moved(here, url, bucket)
    assert "were there already" not in first.splitlines()[-5:]
    assert "1 files, of which 1 were there already" in second
    assert "All of these rows were there already" in second
    assert "1 jobs\n" in second
    async with open_database(url) as database:
        await database.rows("UPDATE jobs SET note = 'used'", {})
    with pytest.raises(StartupError, match="the table jobs of that database has other rows"):
        await moved(here, url, bucket)


async def test_the_rows_of_another_bot_are_left_alone(
    tmp_path: Path, clock: Clock, url: str, bucket: RemoteStore
) -> None:
    for name in ("here", "another"):
        async with open_bench(tmp_path / name, clock) as bench:
            await bench.submit()
    await moved(tmp_path / "another", url, bucket)
    with pytest.raises(StartupError, match="name an empty database"):
        await moved(tmp_path / "here", url, bucket)
    [job] = await asyncio.to_thread(list_jobs, url, ended=1)
    [expected] = await asyncio.to_thread(list_jobs, tmp_path / "another", ended=1)
    assert job == expected


async def test_an_old_installation_is_moved_whole(
    tmp_path: Path, url: str, bucket: RemoteStore
) -> None:
    data = install(tmp_path, at=START)
    printed = await moved(data, url, bucket)
    jobs = await asyncio.to_thread(list_jobs, data, ended=100)
    assert jobs
    assert await asyncio.to_thread(list_jobs, url, ended=100) == jobs
    assert " jobs\n" in printed
    assert len(bucket.files) == 33


class ForgetfulStore(RemoteStore):
    """A store in which the second file arrives damaged."""

    async def put(self, key: str, path: Path) -> None:
        await super().put(key, path)
        if len(self.files) > 1:
            self.files[key] = self.files[key][:-1] + b"?"


async def test_a_damaged_file_stops_the_move_before_the_rows(tmp_path: Path, url: str) -> None:
    data = install(tmp_path, at=START)
    store = ForgetfulStore()
    with pytest.raises(StartupError, match=r"^STORE_URL: not all files were moved, and no rows"):
        await moved(data, url, store)
    assert await asyncio.to_thread(list_jobs, url, ended=100) == []
    good = RemoteStore()
    good.files = store.files
    await moved(data, url, good)
    assert await asyncio.to_thread(list_jobs, url, ended=100)


async def test_the_secret_is_taken_along_and_the_old_bot_does_not_start(
    tmp_path: Path, url: str, bucket: RemoteStore
) -> None:
    data = install(tmp_path, at=START)
    secret = load_secret("", data / "secret.key")
    printed = await moved(data, url, bucket)
    assert f"Copy the line in {data / 'secret.env'} into .env" in printed
    assert secret.hex() not in printed
    file = data / "secret.env"
    assert file.stat().st_mode & 0o777 == 0o600
    name, _, value = (await asyncio.to_thread(file.read_text)).strip().partition("=")
    assert (name, load_secret(value, tmp_path / "nowhere")) == ("SECRET_KEY", secret)
    with pytest.raises(StartupError, match="moved to a PostgreSQL database, so set DATABASE_URL"):
        await open_resources(settings_in(data), _NO_STACK)


# The start is refused before anything is opened.
_NO_STACK: Any = None


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--to", "mysql://db/x"], {}, "--to: is not the URL of a PostgreSQL database"),
        (["--to", "postgresql://db/x"], {}, "STORE_URL is missing: with a PostgreSQL database"),
        (
            ["--to", "postgresql://clapper:hunter2@db/x"],
            {"STORE_URL": "s3://bucket"},
            "DATA_DIR: there is no clapper.db in",
        ),
    ],
)
@pytest.mark.usefixtures("_own_logging")
def test_what_is_missing_is_said_in_one_sentence(
    arguments: list[str],
    environment: Mapping[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "open_bucket", lambda _: RemoteStore())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["move", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert "hunter2" not in said
    assert said.count("\n") == 1
