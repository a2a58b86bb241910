"""Tests `python -m bot doctor`: each finding, with and without a problem."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.__main__ import main
from bot.commands import doctor
from bot.commands.checks.clock import examine_clock
from bot.commands.doctor import examine
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.server import FakeDiscord
from bot.model import JobState, Trouble
from bot.settings.fields import Settings, load_settings
from bot.speech import piper
from storage.snapshot import count_delivering
from tests.support.command_line import run_bot
from tests.support.fakes import FakeBackend, open_bench
from tests.support.media import clips
from tests.support.providers.chat_api import MODEL, ChatApi
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.openrouter_api import OpenRouterApi, model
from tests.support.providers.speech_api import SpeechApi
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi
from tests.support.wire import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from bot.commands.checks.findings import Finding
    from tests.support.fakes import Bench, Clock

MIB = 1024 * 1024
TOKEN = f"{base64.b64encode(b'123456789012345678').decode()}.Gabcde.{'x' * 38}"


class Usage(NamedTuple):
    """The result of shutil.disk_usage."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


async def look(subject: str, tmp_path: Path, **settings: object) -> Finding:
    """Run all checks, and return the finding about `subject`."""
    nowhere = "http://127.0.0.1:1"
    values = {"discord_token": TOKEN, "discord_api_url": nowhere, "data_dir": tmp_path} | settings
    [found] = [f for f in await examine(load_settings(**values)) if f.subject == subject]
    return found


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
        [asked] = [
            each for each in fake_discord.history.requests if each.path.endswith("/users/@me")
        ]
    assert asked.status == 200
    assert (ended.code, ended.err) == (0, "")
    lines = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert [line.split()[0] for line in lines] == ["ok"] * 16
    assert lines[1] == "ok  DISCORD_TOKEN    Discord accepts it: clapper"
    assert fake_discord.token not in ended.out


async def test_a_token_that_discord_refuses_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "discord").mkdir()
    async with FakeDiscord(tmp_path / "discord") as fake_discord:
        found = await look("DISCORD_TOKEN", tmp_path, discord_api_url=fake_discord.url)
    assert (found.ok, found.found) == (False, "Discord refuses it")
    assert "Developer Portal" in found.advice
    assert TOKEN not in found.advice


async def test_a_token_that_cannot_be_checked_is_not_ok(tmp_path: Path) -> None:
    found = await look("DISCORD_TOKEN", tmp_path)
    assert (found.ok, found.found) == (False, "looks right, but could not be checked with Discord")
    assert "can't be reached" in found.advice


async def test_the_doctor_does_not_wait_forever_for_discord(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_LOGIN_SECONDS", 0.2)
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
    assert (found.ok, found.found) == (False, "looks right, but could not be checked with Discord")
    assert "no answer from Discord" in found.advice


def test_a_problem_is_marked_with_advice_and_an_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 1
    _, first, advice, *_ = capsys.readouterr().out.splitlines()
    assert first == "!!  DISCORD_TOKEN    missing"
    assert advice.strip().startswith("-> copy it from the Developer Portal")


@pytest.mark.parametrize(
    "token",
    ["abc", "a.b", "..", "Bot.x.y", f"{TOKEN}.more", "bm90IGRpZ2l0cw.b.c", "/w.b.c"],
)
async def test_a_token_of_the_wrong_shape_is_reported(tmp_path: Path, token: str) -> None:
    found = await look("DISCORD_TOKEN", tmp_path, discord_token=token)
    assert not found.ok
    assert "copy it again" in found.advice
    assert token not in found.found + found.advice


async def test_the_embedded_renderer_is_always_available(tmp_path: Path) -> None:
    found = await look("VIDEO_BACKEND", tmp_path)
    assert found.ok
    assert "storyboard" in found.found


@pytest.mark.parametrize(
    ("key", "ok", "words"),
    [("", False, "refuses the key (401)"), ("sk-wrong", False, "(401)"), ("sk-right", True, "")],
)
async def test_the_key_is_checked_with_the_provider(
    tmp_path: Path, key: str, words: str, *, ok: bool
) -> None:
    async with VideosApi(key="sk-right") as api:
        found = await look(
            "VIDEO_BACKEND",
            tmp_path,
            video_backend="openai",
            openai_base_url=api.base_url,
            openai_api_key=key,
        )
    assert found.ok is ok
    assert words in found.found
    assert "sk-" not in found.found + found.advice
    assert ("OPENAI_API_KEY" in found.advice) is not ok


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (200, ""),
        (400, ""),
        (405, ""),
        (403, "OPENAI_API_KEY"),
        (404, "/v1"),
        (502, "try again"),
        (503, "try again"),
    ],
)
async def test_a_providers_answer_is_interpreted(tmp_path: Path, status: int, advice: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/v1/videos", answer)
    async with TestServer(app) as server:
        found = await look(
            "VIDEO_BACKEND",
            tmp_path,
            video_backend="openai",
            openai_base_url=str(server.make_url("/v1")),
        )
    assert found.ok is (not advice)
    assert advice in found.advice


@pytest.mark.parametrize(
    ("models", "settings", "ok", "words"),
    [
        (
            ["sora-2", "wan"],
            {},
            True,
            "key accepted, model sora-2 known, price not published, polling",
        ),
        (["wan", "hunyuan"], {}, False, "model sora-2 unknown"),
        (["wan"], {"video_model": "-"}, True, "its default model"),
        (["openai/*"], {}, True, "model sora-2 not checked"),
        ([], {}, True, "model sora-2 not checked"),
        (None, {}, True, "key not checked, model sora-2 not checked"),
        (["sora-2"], {"openai_api_key": ""}, True, "answers, no key, model"),
        (
            ["sora-2"],
            {"openai_webhook_secret": "whsec_bWFkZSB1cA=="},
            True,
            "webhooks possible, only from this network",
        ),
        (
            ["sora-2"],
            {"openai_webhook_secret": "whsec_bWFkZSB1cA==", "public_url": "https://c.example"},
            True,
            "price not published, webhooks possible",
        ),
    ],
)
async def test_a_server_is_asked_for_its_models(
    tmp_path: Path, models: list[str] | None, settings: dict[str, object], words: str, *, ok: bool
) -> None:
    async def answer(_: web.Request) -> web.Response:
        if models is None:
            return web.Response(status=404)
        entries = [{"id": name, "object": "model"} for name in models]
        return web.json_response({"object": "list", "data": entries})

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=405)

    app = web.Application()
    app.router.add_get("/v1/videos", refuse)
    app.router.add_get("/v1/models", answer)
    async with TestServer(app) as server:
        values = {
            "video_backend": "openai",
            "openai_base_url": str(server.make_url("/v1")),
            "openai_api_key": "sk-right",
        }
        found = await look("VIDEO_BACKEND", tmp_path, **(values | settings))
    assert (found.ok, bool(found.advice)) == (ok, not ok)
    assert words in found.found
    assert ok or "(hunyuan, wan)" in found.advice


async def test_a_key_that_only_the_model_list_refuses_is_reported(tmp_path: Path) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=401 if request.path.endswith("models") else 405)

    app = web.Application()
    app.router.add_get("/v1/{what}", refuse)
    async with TestServer(app) as server:
        url = str(server.make_url("/v1"))
        found = await look(
            "VIDEO_BACKEND",
            tmp_path,
            video_backend="openai",
            openai_base_url=url,
            openai_api_key="sk-wrong",
        )
    assert not found.ok
    assert "OPENAI_API_KEY" in found.advice
    assert "sk-wrong" not in found.found


@pytest.mark.parametrize(
    ("trouble", "found", "advice"),
    [
        (Trouble.AUTH, "refuses the key", "set another key"),
        (Trouble.BALANCE, "no credit left", "top up the account"),
        (Trouble.SETUP, "no such address or model", "VIDEO_MODEL"),
        (Trouble.OUTAGE, "can't be reached", "check that it is running"),
    ],
)
async def test_a_paused_queue_is_reported_with_its_reason(
    tmp_path: Path, clock: Clock, trouble: Trouble, found: str, advice: str
) -> None:
    assert (await look("queue", tmp_path)).ok
    backend = FakeBackend(clock, name="storyboard")
    async with open_bench(tmp_path, clock, backend=backend) as bench:
        for number in range(3):
            assert (await look("queue", tmp_path)).ok, number
            await bench.circuit.refused(trouble, probing=False)
        seen = await look("queue", tmp_path)
        assert (seen.ok, "paused since 2027-01-15 08:00 UTC" in seen.found) == (False, True)
        assert found in seen.found
        assert advice in seen.advice
        await bench.circuit.accepted()
        assert (await look("queue", tmp_path)).ok


async def test_a_running_queue_is_described(tmp_path: Path) -> None:
    assert (await look("queue", tmp_path)).found == "running: new videos are ordered"


async def test_a_database_of_an_earlier_version_has_no_paused_queue(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "clapper.db")) as connection:
        connection.execute("CREATE TABLE jobs (state TEXT)")
    assert (await look("queue", tmp_path)).ok


async def test_a_provider_that_is_down_is_reported(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    found = await look("VIDEO_BACKEND", tmp_path, video_backend="openai", openai_base_url=url)
    assert not found.ok
    assert url in found.found
    assert "OPENAI_BASE_URL" in found.advice


@pytest.mark.parametrize(
    ("settings", "ok", "words"),
    [
        ({}, True, "key accepted, model google/veo-3.1 known, about $3.20 a clip, polling only"),
        ({"video_model": "a/free"}, True, "model a/free known, no price is listed, polling only"),
        ({"openrouter_api_key": "sk-wrong"}, False, "refuses the key"),
        ({"video_seconds": 5}, False, "VIDEO_SECONDS: google/veo-3.1 makes clips of 4, 6, 8"),
        (
            {"openrouter_base_url": "http://127.0.0.1:9/v1"},
            False,
            "http://127.0.0.1:9/v1 can't be used",
        ),
        (
            {"openrouter_webhook_secret": "s3cret", "public_url": "https://clapper.example"},
            True,
            "webhooks possible",
        ),
        (
            {"openrouter_webhook_secret": "s3cret", "public_url": "http://clapper.example"},
            True,
            "polling only (no PUBLIC_URL with https)",
        ),
    ],
)
async def test_openrouter_is_asked_for_key_model_and_price(
    tmp_path: Path, settings: dict[str, object], words: str, *, ok: bool
) -> None:
    async with OpenRouterApi(key="sk-right") as api:
        api.models.append(model("a/free", pricing_skus=None))
        values = {
            "video_backend": "openrouter",
            "video_model": "google/veo-3.1",
            "openrouter_base_url": api.base_url,
            "openrouter_api_key": "sk-right",
        }
        found = await look("VIDEO_BACKEND", tmp_path, **(values | settings))
    assert (found.ok, bool(found.advice)) == (ok, not ok)
    assert words in found.found
    assert "sk-" not in found.found + found.advice


@pytest.mark.parametrize(
    ("settings", "ok", "words"),
    [
        ({}, True, "gemini (experimental): gemini-omni-1.2-flash, about $0.81 a clip"),
        ({}, True, "a clip (price list of 2026-11), polling only"),
        ({"video_size": "640x360"}, True, "no price is listed"),
        ({"gemini_api_key": "gm-wrong"}, False, "refuses the key"),
        ({"video_model": "gemini-omni-0"}, False, "has no model gemini-omni-0"),
        ({"video_seconds": 20}, False, "VIDEO_SECONDS: Gemini Omni makes clips of 3 to 15"),
        ({"gemini_base_url": "http://127.0.0.1:9"}, False, "http://127.0.0.1:9 can't be used"),
    ],
)
async def test_gemini_is_asked_for_key_and_model(
    tmp_path: Path, settings: dict[str, object], words: str, *, ok: bool
) -> None:
    async with GeminiApi(key="gm-right") as api:
        values = {
            "video_backend": "gemini",
            "gemini_base_url": api.base_url,
            "gemini_api_key": "gm-right",
        }
        found = await look("VIDEO_BACKEND", tmp_path, **(values | settings))
    assert (found.ok, bool(found.advice)) == (ok, not ok)
    assert words in found.found
    assert "gm-" not in found.found + found.advice
    assert not api.made("POST")


async def test_the_prompt_writer_is_checked(tmp_path: Path) -> None:
    async def writer(**settings: object) -> Finding:
        return await look("PROMPT_WRITER", tmp_path, **settings)

    assert (await writer()).found == "not used: title cards show the prompt as typed"
    values = {"video_backend": "openai", "openai_base_url": "http://127.0.0.1:9/v1"}
    assert (await writer(**values)).found == "template"
    async with ChatApi(key="sk-right") as api:
        values |= {
            "prompt_writer": "openai",
            "prompt_base_url": api.base_url,
            "prompt_api_key": "sk-right",
            "prompt_model": MODEL,
        }
        found = await writer(**values)
        assert (found.ok, found.advice) == (True, "")
        assert found.found == f"openai: {api.base_url} answers"
        found = await writer(**values | {"prompt_model": "gpt-none"})
        assert found.ok
        assert "PROMPT_MODEL" in found.advice
        found = await writer(**values | {"prompt_api_key": "sk-wrong"})
        assert (found.ok, found.advice) == (False, "correct PROMPT_API_KEY")
        for status, ok in ((404, True), (503, False)):
            api.add_faults("models", Fault(status=status, body={}))
            found = await writer(**values)
            assert (found.ok, bool(found.advice)) == (ok, not ok)
        assert api.made("POST") == []
    found = await writer(**values)
    assert (found.ok, "PROMPT_BASE_URL" in found.advice) == (False, True)


async def test_the_moderation_is_checked_with_a_harmless_prompt(tmp_path: Path) -> None:
    assert (await look("MODERATION", tmp_path)).found == "off"
    async with ChatApi(key="sk-right") as api:
        values = {"moderation": "openai", "moderation_base_url": api.base_url}
        found = await look("MODERATION", tmp_path, **values, moderation_api_key="sk-right")
        assert (found.ok, found.found) == (True, f"openai: {api.base_url} answers")
        found = await look("MODERATION", tmp_path, **values, moderation_api_key="sk-wrong")
        assert (found.ok, found.advice) == (False, "correct MODERATION_API_KEY")
        assert "sk-" not in found.found
    found = await look("MODERATION", tmp_path, **values)
    assert (found.ok, "MODERATION_BASE_URL" in found.advice) == (False, True)


async def test_the_word_list_is_read(tmp_path: Path) -> None:
    assert (await look("blocked words", tmp_path)).found == "none"
    listed = tmp_path / "blocked.txt"
    found = await look("blocked words", tmp_path, blocked_words_file=str(listed))
    assert (found.ok, "there is no file" in found.advice) == (False, True)
    listed.write_text("one\n# two\nthree\n")
    found = await look("blocked words", tmp_path, blocked_words_file=str(listed))
    assert (found.ok, found.found) == (True, "2")


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
    assert "can write" in found.advice


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a folder to which not even root can write"
)
async def test_a_data_dir_without_write_access_is_reported(tmp_path: Path) -> None:
    found = await look("DATA_DIR", tmp_path, data_dir="/proc/self")
    assert not found.ok
    assert "can write" in found.advice


@pytest.mark.parametrize("missing", ["", "deep/er"])
async def test_the_check_of_the_folder_creates_nothing(tmp_path: Path, missing: str) -> None:
    found = await look("DATA_DIR", tmp_path, data_dir=tmp_path / missing)
    assert found.ok
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_the_limits_without_a_public_url_are_explained(tmp_path: Path) -> None:
    found = await look("PUBLIC_URL", tmp_path)
    assert found.ok
    assert "set PUBLIC_URL" in found.advice


async def test_videos_held_for_want_of_a_link_are_counted(bench: Bench, tmp_path: Path) -> None:
    assert count_delivering(tmp_path / "elsewhere") is None
    assert (await look("held videos", tmp_path)).found == "none"
    await bench.at(JobState.DELIVERING)
    await bench.at(JobState.NOTIFYING)
    await bench.at(JobState.SUCCEEDED)
    found = await look("held videos", tmp_path)
    assert not found.ok
    assert found.found.startswith("2 too large")
    assert "set PUBLIC_URL" in found.advice
    found = await look("held videos", tmp_path, public_url="https://c.example")
    assert (found.ok, found.found) == (True, "2")


async def test_kept_files_are_counted_with_their_size(tmp_path: Path) -> None:
    assert (await look("kept files", tmp_path)).found == "none"
    for folder, name in (("videos", f"{'a' * 32}.mp4"), ("narrations", "a" * 32)):
        path = tmp_path / folder / name
        path.parent.mkdir()
        path.write_bytes(b"v" * 10 * MIB)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    found = await look("kept files", tmp_path)
    assert (found.ok, found.advice) == (True, "")
    assert found.found == "2, 0.02 of 20 GB, oldest 2023-11-14"
    found = await look("kept files", tmp_path, keep_gb=0.01)
    assert found.ok
    assert "raise KEEP_GB" in found.advice


async def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "videos").write_text("")
    found = await look("kept files", tmp_path)
    assert not found.ok
    assert "unreadable" in found.found


async def test_a_database_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "clapper.db").write_bytes(b"not a database, but long enough to look at" * 100)
    for subject in ("held videos", "queue"):
        found = await look(subject, tmp_path)
        assert not found.ok
        assert "unreadable" in found.found


# --- the voice ---


async def voice(tmp_path: Path, **settings: object) -> Finding:
    return await look("NARRATION_BACKEND", tmp_path, **settings)


async def test_no_voice_is_no_problem(tmp_path: Path) -> None:
    found = await voice(tmp_path)
    assert (found.ok, found.found) == (True, "off: only audio files are accepted")


async def test_an_offline_voice_that_is_not_installed_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piper, "find_spec", lambda _: None)
    found = await voice(tmp_path, narration_backend="piper")
    assert not found.ok
    assert "make voice" in found.advice


async def test_a_voice_is_checked_with_a_word(tmp_path: Path) -> None:
    clips.make_tone(tmp_path / "tone.mp3", seconds=1)
    async with SpeechApi((tmp_path / "tone.mp3").read_bytes()) as api:
        found = await voice(tmp_path, narration_backend="openai", narration_base_url=api.base_url)
        assert found.ok
        assert found.found.startswith("openai: spoke a word in 1.0 s at -")
        assert len(api.creates) == 1


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (Fault(status=401), "NARRATION_API_KEY"),
        (Fault(status=200, body="<html>"), "usually ends with /v1"),
        (Fault(status=500), "log"),
        (Fault(status=429), "later"),
    ],
)
async def test_a_problem_with_a_voice_is_reported_with_advice(
    tmp_path: Path, fault: Fault, advice: str
) -> None:
    async with SpeechApi(b"") as api:
        api.add_faults("speech", fault)
        found = await voice(tmp_path, narration_backend="openai", narration_base_url=api.base_url)
    assert not found.ok
    assert advice in found.advice


async def test_a_silent_voice_is_reported(tmp_path: Path) -> None:
    clips.make_silence(tmp_path / "silence.wav")
    async with SpeechApi((tmp_path / "silence.wav").read_bytes()) as api:
        found = await voice(tmp_path, narration_backend="openai", narration_base_url=api.base_url)
    assert (found.ok, found.found) == (False, "openai: the speech is silent")


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
    assert (found.ok, found.found) == (True, "not compared: Discord told no time")
