"""`python -m bot jobs`, beside a running bot and without one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.commands.job_lines import describe, table_line
from bot.jobs.admission import new_job
from bot.links import load_secret
from bot.model import Client, JobState
from bot.texts import Texts
from bot.web.operator_routes import OperatorKey, cancel_subject
from storage.database import open_database
from storage.jobs.caps import Caps
from storage.jobs.store import JobStore
from storage.ledger.budgets import Reservation
from storage.snapshot import list_jobs
from tests.support.command_line import end, run_bot
from tests.support.fakes.orders import REQUEST
from tests.support.forks import ROOT
from tests.support.generating import provider, start_generating
from tests.support.media import clips
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from pathlib import Path

    from bot.model import Job

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.make_clip(tmp_path / "provider.mp4", seconds=2)


async def stored(folder: Path, **changes: str | float | None) -> Job:
    """Store a job of the command line in the folder's database, with these columns."""
    (folder / "data").mkdir(exist_ok=True)
    async with open_database(folder / "data") as database:
        job = new_job(
            REQUEST, Client(name="cli"), None, backend="openai", now=time.time(), next_at=0.0
        )
        await JobStore(database).insert(
            job, Caps(open_per_user=99, open_in_all=99, per_day=99), Reservation()
        )
        for column, value in changes.items():
            sql = f"UPDATE jobs SET {column} = :value WHERE id = :id"  # noqa: S608 - from this file
            await database.rows(sql, {"id": job.id, "value": value})
    return job


async def test_jobs_are_listed_shown_and_cancelled_beside_the_process_that_makes_them(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start_generating(tmp_path, settings)
        [job] = list_jobs(tmp_path / "data", ended=9)

        listed = await run_bot(tmp_path, "jobs", **settings)
        assert (listed.code, listed.err) == (0, "")
        [line] = listed.out.splitlines()
        assert line.split()[:2] == [job.id[:12], "generating"]
        assert "client cli" in line
        assert line.endswith("a cat")

        shown = await run_bot(tmp_path, "jobs", "show", job.id[:12], **settings)
        assert shown.code == 0
        assert f"{job.remote_id}\n" in shown.out

        cancelled = await run_bot(tmp_path, "jobs", "cancel", job.id[:8], **settings)
        assert (cancelled.code, cancelled.err) == (0, "")
        assert cancelled.out.startswith("Cancelled.")
        ended = await end(process)
        assert (ended.code, ended.err.splitlines()[-1]) == (1, "Cancelled")
        assert api.jobs == {}

        again = await run_bot(tmp_path, "jobs", "cancel", job.id, **settings)
        assert (again.code, "has ended" in again.out) == (1, True)


async def test_the_running_bot_cancels_a_job_of_discord_and_its_card_says_so(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        message = await wire.video("A lighthouse")
        await wire.fake_discord.wait_for(lambda: wire.api.jobs)
        [job] = list_jobs(wire.data_dir, ended=0)
        settings = {
            "DATA_DIR": str(wire.data_dir),
            "HTTP_PORT": str(wire.port),
            "VIDEO_BACKEND": "openai",
            "OPENAI_BASE_URL": wire.api.base_url,
        }
        other = await run_bot(tmp_path, "jobs", "cancel", job.id, SECRET_KEY="k" * 16, **settings)
        assert (other.code, other.err.startswith("SECRET_KEY: ")) == (2, True), other
        elsewhere = {**settings, "HTTP_PORT": "9"}
        unanswered = await run_bot(tmp_path, "jobs", "cancel", job.id, **elsewhere)
        assert (unanswered.code, "does not answer at" in unanswered.err) == (2, True), unanswered
        done = await run_bot(tmp_path, "jobs", "cancel", job.id, **settings)
        assert done.code == 0, done
        await wire.wait_for_card_text(message, "Cancelled")
        await wire.wait_for_job("cancelled")
        assert wire.api.jobs == {}


async def test_the_bot_cancels_only_for_the_holder_of_its_secret_on_this_machine(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot():
        await wire.video("A lighthouse")
        await wire.fake_discord.wait_for(lambda: wire.api.jobs)
        [job] = list_jobs(wire.data_dir, ended=0)
        secret = load_secret("", wire.data_dir / "secret.key")
        subject = cancel_subject(job.id)
        good = OperatorKey(secret, clock=time.time).headers(subject)
        late = OperatorKey(secret, clock=lambda: time.time() - 61).headers(subject)
        about_another = OperatorKey(secret, clock=time.time).headers(cancel_subject("0" * 32))
        address = f"http://127.0.0.1:{wire.port}/operator/cancel/{job.id}"
        async with aiohttp.ClientSession() as http:
            for headers, status in (
                ({}, 401),
                ({"Authorization": "Operator 1.é"}, 401),
                (late, 401),
                (about_another, 401),
                (good | {"X-Forwarded-For": "192.0.2.1"}, 404),
            ):
                async with http.post(address, headers=headers) as answer:
                    assert answer.status == status
        assert [job.state for job in list_jobs(wire.data_dir, ended=0)] != [JobState.CANCELLED]
        assert len(wire.api.jobs) == 1


async def test_without_a_bot_the_job_is_cancelled_here_and_at_the_video_service(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start_generating(tmp_path, settings)
        process.send_signal(signal.SIGTERM)
        await end(process)
        [job] = list_jobs(tmp_path / "data", ended=0)
        done = await run_bot(tmp_path, "jobs", "cancel", job.id[:12], **settings)
        assert (done.code, done.err) == (0, ""), done
        assert "was asked to stop the job" in done.out
        assert api.jobs == {}
        [job] = list_jobs(tmp_path / "data", ended=1)
        assert job.state is JobState.CANCELLED

        waiting = await stored(tmp_path)
        done = await run_bot(tmp_path, "jobs", "cancel", waiting.id, **settings)
        assert (done.code, "had not been sent" in done.out) == (0, True)


async def test_without_a_bot_no_job_of_another_order_is_deleted_at_the_video_service(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start_generating(tmp_path, settings)
        process.send_signal(signal.SIGTERM)
        await end(process)
        [ref] = api.jobs
        api.jobs[ref]["prompt"] = "another order, after a restart that numbers anew"
        [job] = list_jobs(tmp_path / "data", ended=0)
        done = await run_bot(tmp_path, "jobs", "cancel", job.id, **settings)
        assert done.code == 0, done
        assert list(api.jobs) == [ref]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
async def test_a_terminal_without_all_characters_shows_the_others(
    tmp_path: Path, encoding: str
) -> None:
    await stored(tmp_path, prompt="a boat \U0001f6a4 at sea")
    listed = await run_bot(tmp_path, "jobs", PYTHONIOENCODING=encoding)
    assert (listed.code, listed.err) == (0, "")
    assert "at sea" in listed.out


async def test_jobs_are_listed_for_no_reader(tmp_path: Path) -> None:
    await stored(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "bot", "jobs"),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    assert (await end(process)).code == 0


async def test_what_is_no_job_is_refused_in_one_sentence(tmp_path: Path) -> None:
    none = await run_bot(tmp_path, "jobs")
    assert (none.code, none.out) == (0, "There are no jobs in data.\n")
    job = await stored(tmp_path)
    for command, words in (
        (("show", "ffffffff" if not job.id.startswith("f") else "eeeeeeee"), "There is no job"),
        (("show", "x' OR 1"), "is not a job"),
        (("show", job.id[:3]), "at least 4 characters"),
        (("cancel",), "jobs cancel JOB"),
        (("list", job.id), "jobs show JOB"),
    ):
        ended = await run_bot(tmp_path, "jobs", *command)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert words in ended.err
    assert not (tmp_path / "data" / "secret.key").exists()


async def test_a_database_of_an_earlier_version_is_reported(tmp_path: Path) -> None:
    await stored(tmp_path)
    async with open_database(tmp_path / "data") as database:
        await database.rows("ALTER TABLE jobs RENAME COLUMN cost_usd TO price", {})
    ended = await run_bot(tmp_path, "jobs")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "another version" in ended.err


async def test_the_newest_ended_jobs_follow_all_open_ones(tmp_path: Path) -> None:
    jobs = [
        await stored(tmp_path, remote_id=f"v{at}", state=state, created_at=float(at))
        for at, state in enumerate(["queued", "failed", "succeeded", "cancelled", "undecided"])
    ]
    deleted = await stored(tmp_path, deleted_at=1.0)
    found = [job.id for job in list_jobs(tmp_path / "data", ended=2)]
    assert found == [jobs[4].id, jobs[3].id, jobs[2].id, jobs[0].id]
    assert deleted.id not in found


async def test_a_prompt_can_not_write_to_the_terminal(tmp_path: Path) -> None:
    prompt = "a\x1b[2J\u202ecat\r\nnow\x9b"
    await stored(
        tmp_path,
        prompt=prompt,
        state="failed",
        failure_key="failed.timeout",
        failure_fields="{}",
        remote_id="v\x1b]0;x\x07",
        next_at=None,
    )
    [job] = list_jobs(tmp_path / "data", ended=1)
    for text in (table_line(job, now=time.time()), describe(job, Texts.load())):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert "took too long" in describe(job, Texts.load())
