"""`python -m bot generate` as an operator runs it."""

from __future__ import annotations

import argparse
import asyncio
import os
import pty
import re
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bot.__main__ import main
from bot.commands import generate
from bot.errors import Trouble
from bot.jobs.admission import new_job
from bot.jobs.leases import heartbeat
from bot.media.mp4.reader import read_mp4
from bot.model import Client, JobState
from bot.runtime.parts import file_store
from bot.settings.fields import load_settings
from storage.database import open_database
from storage.jobs.caps import Caps
from storage.jobs.circuits import CircuitStore
from storage.jobs.store import JobStore
from storage.ledger.budgets import Reservation
from tests.support.command_line import WITHIN, end, run_bot, start
from tests.support.fakes.orders import REQUEST
from tests.support.fakes.remote_store import RemoteStore
from tests.support.forks import ROOT
from tests.support.generating import provider, start_generating
from tests.support.media import clips
from tests.support.media.measurements import sound_seconds
from tests.support.providers.videos_api import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

REFUSAL = {"error": {"message": "no", "type": "x", "code": "moderation_blocked", "param": None}}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return clips.make_clip(tmp_path / "provider.mp4", seconds=2)


async def test_a_video_is_made_with_the_narration_and_written_to_the_named_file(
    tmp_path: Path, clip: Path
) -> None:
    voice = clips.make_tone(tmp_path / "voice.ogg", seconds=3)
    async with provider(clip) as (_, settings):
        ended = await run_bot(
            tmp_path,
            "generate",
            "--prompt",
            "a cat",
            "--audio",
            str(voice),
            "-o",
            "out.mp4",
            **settings,
        )
    assert (ended.code, ended.out) == (0, "out.mp4\n"), ended
    assert read_mp4(tmp_path / "out.mp4").seconds == pytest.approx(3, abs=0.1)
    assert sound_seconds(tmp_path / "out.mp4") == pytest.approx(3, abs=0.1)
    percentages = [int(found) for found in re.findall(r"(\d+)%", ended.err)]
    assert percentages == sorted(percentages)
    assert "Adding" in ended.err or "Creating" in ended.err


async def test_a_video_is_made_with_postgres_however_long_it_takes(
    tmp_path: Path, clip: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store, "open_bucket", lambda _: RemoteStore())
    # Without further beats, the command would be late while the video is made.
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "LATE_SECONDS", 1.0)
    options = argparse.Namespace(
        script="a cat",
        prompt=None,
        resume=None,
        retry=False,
        audio=None,
        output=tmp_path / "out.mp4",
    )
    async with provider(clip, seconds_per_job=1.5) as (_, environment):
        settings = load_settings(
            **{name.lower(): value for name, value in environment.items()},
            data_dir=tmp_path / "data",
            database_url=await postgres.url_of(tmp_path),
            secret_key="x" * 16,
            store_url="s3://bucket",
        )
        async with asyncio.timeout(WITHIN):
            assert await generate._generate(settings, options) == 0  # noqa: SLF001 - without signals
    assert read_mp4(tmp_path / "out.mp4").seconds == pytest.approx(2, abs=0.1)
    await postgres.empty_databases()


async def test_a_prompt_that_is_refused_is_explained(tmp_path: Path, clip: Path) -> None:
    async with provider(clip) as (api, settings):
        api.add_faults("create", Fault(status=400, body=REFUSAL))
        ended = await run_bot(tmp_path, "generate", "a cat", **settings)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("Content policy violation\n")


async def test_a_used_up_daily_cap_is_explained_in_words_for_a_terminal(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip) as (_, settings):
        settings["MAX_JOBS_PER_DAY"] = "1"
        first = await run_bot(tmp_path, "generate", "a cat", **settings)
        assert first.code == 0, first
        ended = await run_bot(tmp_path, "generate", "a cat", "-o", "more.mp4", **settings)
    assert ended.code == 1
    assert re.search(r"You can try again on \S+ at \S+ UTC\. Only", ended.err), ended


async def test_an_interrupted_job_is_resumed_and_paid_for_once(tmp_path: Path, clip: Path) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start_generating(tmp_path, settings)
        process.send_signal(signal.SIGINT)
        ended = await end(process)
        assert ended.code == 130
        assert "Interrupted. To continue:" in ended.err
        [job_id] = set(re.findall(r"--resume ([0-9a-f]{32})", ended.err))
        for ref in api.creates:
            api.finish(ref)
        assert f"-m bot generate --resume {job_id} -o out.mp4" in ended.err
        async with open_database(tmp_path / "data") as database:
            # Make the next poll due.
            await database.rows("UPDATE jobs SET next_at = :now", {"now": time.time()})
        again = await run_bot(tmp_path, "generate", "--resume", job_id, **settings)
        assert (again.code, again.out) == (0, "video.mp4\n"), again
        assert len(api.creates) == 1
    more = ("-o", "more.mp4")
    unknown = await run_bot(tmp_path, "generate", "--resume", "0" * 32, *more, **settings)
    assert (unknown.code, unknown.err) == (1, "There is no such job.\n")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_lost_terminal_leaves_the_id_and_a_job_that_is_paid_for_once(
    tmp_path: Path, clip: Path, number: signal.Signals
) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start(tmp_path, "generate", "a cat", "-o", "out.mp4", **settings)
        assert process.stderr is not None
        first = (await process.stderr.readline()).decode()
        [job_id] = re.findall(r"^Job ([0-9a-f]{32})\. .*--resume \1 -o out\.mp4$", first)
        while b"Creating the video" not in await process.stderr.readline():
            pass
        process.send_signal(number)
        ended = await end(process)
        assert ended.code == 128 + number
        assert ended.err.splitlines()[-1].startswith("Interrupted. To continue: ")
        for ref in api.creates:
            api.finish(ref)
        async with open_database(tmp_path / "data") as database:
            await database.rows("UPDATE jobs SET next_at = :now", {"now": time.time()})
        again = await run_bot(tmp_path, "generate", "--resume", job_id, **settings)
        assert (again.code, again.out) == (0, "video.mp4\n"), again
        assert len(api.creates) == 1


async def test_a_closed_terminal_does_not_stop_what_ignores_its_signal(
    tmp_path: Path, clip: Path
) -> None:
    controller, terminal = pty.openpty()
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", "trap '' HUP; exec \"$@\"", "nohup"),
            *(sys.executable, "-m", "bot", "generate", "a cat", "-o", "out.mp4"),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        async with asyncio.timeout(WITHIN):
            while not api.creates:
                await asyncio.to_thread(os.read, controller, 4096)
        os.close(controller)
        process.send_signal(signal.SIGHUP)
        [ref] = api.creates
        api.finish(ref)
        await api.send_webhook(ref)
        ended = await end(process)
    assert ended.code == 0
    assert read_mp4(tmp_path / "out.mp4").seconds == pytest.approx(2, abs=0.1)


async def test_output_that_was_closed_before_the_start_stops_nothing(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip) as (api, settings):
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", 'exec "$@" >&- 2>&-', "sh"),
            *(sys.executable, "-m", "bot", "generate", "a cat", "-o", "out.mp4"),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        )
        assert (await end(process)).code == 0
        assert len(api.creates) == 1
    assert read_mp4(tmp_path / "out.mp4").seconds == pytest.approx(2, abs=0.1)


async def test_a_video_that_cannot_be_written_is_fetched_later_at_no_extra_cost(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip, seconds_per_job=3600) as (api, settings):
        process = await start_generating(tmp_path, settings)
        (tmp_path / "out.mp4").write_text("mine")
        for ref in api.creates:
            api.finish(ref)
            await api.send_webhook(ref)
        ended = await end(process)
        assert (ended.code, ended.out) == (1, "")
        assert "out.mp4 can't be written (File exists)" in ended.err
        [job_id] = set(re.findall(r"-m bot generate --resume (\w+) -o out.mp4", ended.err))
        assert (tmp_path / "out.mp4").read_text() == "mine"
        assert not (tmp_path / f".{job_id}.part").exists()
        command = ("generate", "--resume", job_id, "-o", "other.mp4")
        again = await run_bot(tmp_path, *command, **settings)
        assert (again.code, again.out) == (0, "other.mp4\n"), again
        assert read_mp4(tmp_path / "other.mp4").seconds == pytest.approx(2, abs=0.1)
        assert len(api.creates) == 1


async def test_an_undecided_job_is_ordered_again_only_with_retry(
    tmp_path: Path, clip: Path
) -> None:
    async with provider(clip) as (api, settings):
        (tmp_path / "data").mkdir()
        async with open_database(tmp_path / "data") as database:
            client = Client(name="cli")
            job = new_job(REQUEST, client, None, backend="openai", now=time.time(), next_at=0.0)
            await JobStore(database).insert(
                job, Caps(open_per_user=1, open_in_all=1, per_day=1), Reservation()
            )
            params = {"id": job.id, "state": JobState.UNDECIDED}
            await database.rows(
                "UPDATE jobs SET state = :state, next_at = NULL WHERE id = :id", params
            )
        asked = await run_bot(tmp_path, "generate", "--resume", job.id, **settings)
        assert asked.code == 1
        assert "may charge twice" in asked.err
        assert f"--resume {job.id} --retry -o video.mp4" in asked.err
        assert not api.creates
        ended = await run_bot(tmp_path, "generate", "--resume", job.id, "--retry", **settings)
        assert (ended.code, ended.out) == (0, "video.mp4\n"), ended
        assert len(api.creates) == 1
        more = ("--retry", "-o", "more.mp4")
        again = await run_bot(tmp_path, "generate", "--resume", job.id, *more, **settings)
        assert (again.code, again.err[:27]) == (1, "There is nothing to decide:"), again


async def test_a_new_key_is_tried_at_once_after_a_refused_one(tmp_path: Path, clip: Path) -> None:
    async with provider(clip) as (_, settings):
        (tmp_path / "data").mkdir()
        async with open_database(tmp_path / "data") as database:
            circuits = CircuitStore(database)
            await circuits.refuse("openai", Trouble.AUTH)
            await circuits.open("openai", probe_at=time.time() + 900, now=time.time())
        ended = await run_bot(tmp_path, "generate", "a dog", **settings)
    assert (ended.code, ended.out) == (0, "video.mp4\n"), ended


async def test_a_provider_that_is_set_up_but_not_chosen_is_reported_first(
    tmp_path: Path,
) -> None:
    ended = await run_bot(
        tmp_path, "generate", " ", OPENAI_BASE_URL="http://127.0.0.1:9/v1", HTTP_PORT="0"
    )
    warning = "OPENAI_BASE_URL has no effect without VIDEO_BACKEND: set VIDEO_BACKEND=openai"
    assert ended.err.startswith(warning), ended
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("a cat", "--audio", "none.ogg"), "--audio: there is no file none.ogg."),
        (("a cat", "-o", "nowhere/out.mp4"), "--output: there is no folder"),
        (("a cat", "-o", "videos"), "--output: videos is a folder; name a file, like videos/video"),
        (("a cat", "-o", "dangling"), "--output: dangling already exists; name another file"),
        (
            ("a cat", "--audio", "voice.ogg", "-o", "voice.ogg"),
            "--output: voice.ogg already exists",
        ),
        (("--resume", "0" * 32, "-o", "voice.ogg"), "--output: voice.ogg already exists"),
        (("a cat", "--retry"), "--retry needs --resume JOB"),
    ],
)
def test_invalid_options_are_refused_before_anything_is_spent(
    tmp_path: Path,
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "voice.ogg").write_text("mine")
    assert main(["generate", *options]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(sentence)
    assert (tmp_path / "voice.ogg").read_text() == "mine"
    assert not (tmp_path / "data").exists()


def test_the_help_calls_the_prompt_a_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    assert "script" not in capsys.readouterr().out
