"""`python -m bot doctor` examines the token, the machine and the data."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bot.__main__ import main
from bot.commands.checks import discord_account
from bot.commands.checks.clock import examine_clock
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.server import FakeDiscord
from bot.model import JobState
from storage.snapshot import count_delivering
from tests.support.command_line import run_bot
from tests.support.examined import TOKEN, look
from tests.support.wire import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.bench import Bench

pytestmark = pytest.mark.usefixtures("_empty_environment")
MIB = 1024 * 1024


class Usage(NamedTuple):
    """The result of shutil.disk_usage."""

    total: int
    used: int
    free: int


async def test_without_problems_every_line_says_ok(tmp_path: Path) -> None:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        ended = await run_bot(
            tmp_path,
            "doctor",
            DISCORD_TOKEN=fake_discord.token,
            DISCORD_API_URL=fake_discord.url,
            HTTP_PORT="0",
        )
        origin = fake_discord.url.partition("/api/")[0]
        [asked] = [
            each for each in fake_discord.history.requests if each.path.endswith("/users/@me")
        ]
    assert asked.status == 200
    assert (ended.code, ended.err) == (0, "")
    lines = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    marks = [line.split()[0] for line in lines]
    assert (marks.count("ok"), marks.count("--")) == (28, 2)
    assert lines[3] == (f"ok  DISCORD_TOKEN      {origin} (DISCORD_API_URL) accepts it: clapper")
    assert len({line.index(line.split(maxsplit=1)[1]) for line in lines}) == 1
    assert fake_discord.token not in ended.out


async def test_a_token_that_discord_refuses_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        found = await look("DISCORD_TOKEN", tmp_path, discord_api_url=fake_discord.url)
        origin = fake_discord.url.partition("/api/")[0]
    assert (found.ok, found.found) == (False, f"{origin} (DISCORD_API_URL) refuses it")
    assert "Developer Portal" in found.advice
    assert TOKEN not in found.advice


async def test_a_token_that_cannot_be_checked_is_not_ok(tmp_path: Path) -> None:
    found = await look(
        "DISCORD_TOKEN", tmp_path, discord_api_url="http://user:secret@127.0.0.1:1/api"
    )
    who = "http://127.0.0.1:1 (DISCORD_API_URL)"
    assert (found.ok, found.found) == (False, f"looks right, but could not be checked with {who}")
    assert "can't be reached" in found.advice


async def test_the_doctor_does_not_wait_forever_for_discord(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_account, "_LOGIN_SECONDS", 0.2)
    (tmp_path / "discord").mkdir()
    held = faults.Hold()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        fake_discord.faults.add("GET /users/@me", held)
        found = await look(
            "DISCORD_TOKEN",
            tmp_path,
            discord_token=fake_discord.token,
            discord_api_url=fake_discord.url,
        )
        held.release.set()
        origin = fake_discord.url.partition("/api/")[0]
    assert not found.ok
    assert found.found.startswith("looks right, but could not be checked")
    assert f"no response from {origin}" in found.advice


def test_a_problem_is_marked_with_advice_and_an_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 1
    _, _, _, first, advice, *_ = capsys.readouterr().out.splitlines()
    assert first == "!!  DISCORD_TOKEN      missing"
    assert advice.strip().startswith("-> copy it into .env from the Bot page")


@pytest.mark.parametrize(
    "token",
    ["abc", "a.b", "..", "Bot.x.y", f"{TOKEN}.more", "bm90IGRpZ2l0cw.b.c", "/w.b.c"],
)
async def test_a_token_of_the_wrong_shape_is_reported(tmp_path: Path, token: str) -> None:
    found = await look("DISCORD_TOKEN", tmp_path, discord_token=token)
    assert not found.ok
    assert "copy it again" in found.advice
    assert token not in found.found + found.advice


async def test_settings_that_differ_from_their_defaults_are_listed(tmp_path: Path) -> None:
    found = await look(
        "your settings",
        tmp_path,
        video_size="720x1280",
        openai_base_url="http://me:hunter2@127.0.0.1:1/v1",
        openai_api_key="sk-secret",
        openai_extra='{"key": "sk-other"}',
    )
    assert found.ok
    listed = found.found.split(", ")
    assert {"VIDEO_SIZE=720x1280", "OPENAI_API_KEY is set", "OPENAI_EXTRA is set"} <= set(listed)
    assert "OPENAI_BASE_URL=http://127.0.0.1:1/v1" in listed
    assert not any(secret in found.found for secret in ("hunter2", "sk-"))
    assert not any(each.startswith("NOTIFY") for each in listed)


@pytest.mark.parametrize(
    ("settings", "ok", "found"),
    [
        ({}, True, "clips cost nothing"),
        (
            {"price_per_second": 0.1, "budget_month": 50},
            True,
            "at most $0.80 a clip, $80.00 a day and $50.00 a month",
        ),
        (
            {"price_per_clip": 2, "budget_day": 10},
            True,
            "at most $2.00 a clip, $10.00 a day and $310.00 a month",
        ),
        (
            {
                "video_backend": "openai",
                "openai_base_url": "http://127.0.0.1:1/v1",
                "budget_day": 1,
            },
            False,
            "the price of a clip is unknown",
        ),
    ],
)
async def test_the_most_that_clips_can_cost_is_told(
    settings: dict[str, object], ok: object, found: str, tmp_path: Path
) -> None:
    finding = await look("costs", tmp_path, **settings)
    assert (finding.ok, finding.found) == (ok, found)


async def test_a_usable_ffmpeg_is_named(tmp_path: Path) -> None:
    found = await look("ffmpeg", tmp_path)
    assert found.ok
    assert "ffmpeg" in found.found


async def test_without_any_ffmpeg_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    found = await look("ffmpeg", tmp_path)
    assert not found.ok
    assert found.advice


@pytest.mark.parametrize(("free", "ok"), [(2048 * MIB, True), (2047 * MIB, False)])
async def test_low_disk_space_is_reported_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, *, ok: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free))
    found = await look("DATA_DIR", tmp_path)
    assert found.ok is ok
    assert ("2.0 GB free" if ok else "2047 MB free") in found.found
    assert ("free some space" in found.advice) is not ok


async def test_a_data_dir_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = await look("DATA_DIR", tmp_path, data_dir=tmp_path / "file")
    assert not found.ok
    assert "bot can write to" in found.advice


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a folder to which not even root can write"
)
async def test_a_data_dir_without_write_access_is_reported(tmp_path: Path) -> None:
    found = await look("DATA_DIR", tmp_path, data_dir="/proc/self")
    assert not found.ok
    assert "bot can write to" in found.advice


@pytest.mark.parametrize("missing", ["", "deep/er"])
async def test_the_check_of_the_folder_creates_nothing(tmp_path: Path, missing: str) -> None:
    found = await look("DATA_DIR", tmp_path, data_dir=tmp_path / missing)
    assert found.ok
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_the_limits_without_a_public_url_are_explained(tmp_path: Path) -> None:
    found = await look("PUBLIC_URL", tmp_path)
    assert found.ok
    assert "set it" in found.advice


async def test_videos_held_for_want_of_a_link_are_counted(bench: Bench, tmp_path: Path) -> None:
    assert count_delivering(tmp_path / "elsewhere") is None
    assert (await look("undelivered videos", tmp_path)).found == "none"
    await bench.at(JobState.DELIVERING)
    await bench.at(JobState.NOTIFYING)
    await bench.at(JobState.SUCCEEDED)
    found = await look("undelivered videos", tmp_path)
    assert not found.ok
    assert found.found.startswith("2 too large")
    assert "set PUBLIC_URL" in found.advice
    found = await look("undelivered videos", tmp_path, public_url="https://c.example")
    assert (found.ok, found.found) == (True, "2")


async def test_kept_files_are_counted_with_their_size(tmp_path: Path) -> None:
    assert (await look("stored files", tmp_path)).found == "no videos or narrations yet"
    for folder, name in (("videos", f"{'a' * 32}.mp4"), ("narrations", "a" * 32)):
        path = tmp_path / folder / name
        path.parent.mkdir()
        path.write_bytes(b"v" * 10 * MIB)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    found = await look("stored files", tmp_path)
    assert (found.ok, found.advice) == (True, "")
    assert found.found == "2 videos and narrations, 0.02 of 20 GB, oldest from 2023-11-14"
    found = await look("stored files", tmp_path, keep_gb=20 / 1024 - 1e-9)
    assert found.found.startswith("2 videos and narrations, 0.02 of 0.0195312 GB")
    found = await look("stored files", tmp_path, keep_gb=0.01)
    assert found.ok
    assert "raise KEEP_GB" in found.advice


async def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "videos").write_text("")
    found = await look("stored files", tmp_path)
    assert not found.ok
    assert "unreadable" in found.found


async def test_a_database_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "clapper.db").write_bytes(b"not a database, but long enough to look at" * 100)
    for subject in ("undelivered videos", "queue", "orphaned jobs"):
        found = await look(subject, tmp_path)
        assert not found.ok
        assert "unreadable" in found.found


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, "agrees"),
        (50, "agrees"),
        (-50, "agrees"),
        (90, "seconds ahead of"),
        (-420, "7 minutes behind"),
        (6 * 3600, "6 hours ahead of"),
        (-400 * 86_400, "400 days behind"),
    ],
)
async def test_the_clock_is_compared_with_discords(
    tmp_path: Path, ahead: float, words: str
) -> None:
    async with FakeDiscord(tmp_path) as fake_discord:
        found = await examine_clock(fake_discord.url, clock=lambda: time.time() + ahead)
    assert words in found.found
    assert found.ok == ("agrees" in words)
    assert ("NTP" in found.advice) != found.ok


async def test_a_clock_that_can_not_be_compared_is_no_problem() -> None:
    found = await examine_clock(f"http://127.0.0.1:{free_port()}")
    assert (found.ok, found.found) == (True, "not checked: couldn't get the time from Discord")
