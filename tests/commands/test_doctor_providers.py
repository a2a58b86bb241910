"""`python -m bot doctor` asks the services for videos, prompts, moderation and voices."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.commands.checks.reported_costs import examine_reported_costs
from bot.errors import Trouble
from bot.model import JobState
from bot.settings.fields import load_settings
from bot.speech import piper
from storage.jobs.store import Changes
from tests.support.examined import look
from tests.support.fakes.backend import FakeBackend
from tests.support.fakes.bench import open_bench
from tests.support.media import clips
from tests.support.providers.chat_api import MODEL, ChatApi
from tests.support.providers.gemini_api import GeminiApi
from tests.support.providers.openai_setup import SECRET
from tests.support.providers.openrouter_api import OpenRouterApi, model
from tests.support.providers.speech_api import SpeechApi
from tests.support.providers.stand_in import Fault
from tests.support.providers.videos_api import VideosApi
from tests.support.storyboard import ManualRenderer, open_board
from tests.support.wire import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from bot.commands.checks.findings import Finding
    from tests.support.fakes.clock import Clock

pytestmark = pytest.mark.usefixtures("_empty_environment")


async def test_the_embedded_renderer_is_always_available(tmp_path: Path) -> None:
    found = await look("VIDEO_BACKEND", tmp_path)
    assert found.ok
    assert "storyboard" in found.found


async def test_a_renderer_that_is_a_service_is_asked_for_its_clips(tmp_path: Path) -> None:
    async with open_board(tmp_path / "board", ManualRenderer()) as board:
        url = board.base_url
        found = await look("VIDEO_BACKEND", tmp_path, storyboard_url=url)
        wrong = await look("VIDEO_BACKEND", tmp_path, storyboard_url=f"{url}/x")
    away = await look("VIDEO_BACKEND", tmp_path, storyboard_url=url)
    assert found.ok
    assert f"made at {url}, at no cost, polling only" in found.found
    assert (wrong.ok, away.ok) == (False, False)
    assert "status 404" in wrong.found
    assert "STORYBOARD_URL" in away.advice


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


@pytest.mark.parametrize("backend", ["openai", "openrouter", "gemini"])
async def test_a_backends_url_is_shown_without_its_password(tmp_path: Path, backend: str) -> None:
    values = {
        "video_backend": backend,
        f"{backend}_base_url": "http://user:p@ssw0rd@127.0.0.1:9/v1",
        f"{backend}_api_key": "sk-right",
    }
    found = await look("VIDEO_BACKEND", tmp_path, **values)
    assert " http://127.0.0.1:9/v1 " in found.found
    assert "ssw0rd" not in found.found + found.advice


@pytest.mark.parametrize(
    ("subject", "backend", "prefix"),
    [("PROMPT_WRITER", "prompt_writer", "prompt"), ("MODERATION", "moderation", "moderation")],
)
async def test_a_prompt_services_url_is_shown_without_its_password(
    tmp_path: Path, subject: str, backend: str, prefix: str
) -> None:
    values = {
        "video_backend": "openai",
        "openai_base_url": "http://127.0.0.1:9/v1",
        "prompt_model": MODEL,
        backend: "openai",
        f"{prefix}_base_url": "http://user:p@ssw0rd@127.0.0.1:9/v1",
    }
    found = await look(subject, tmp_path, **values)
    assert " http://127.0.0.1:9/v1 " in found.found
    assert "ssw0rd" not in found.found + found.advice


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
    ("body", "found", "advice"),
    [
        ("", "for an unknown reason", "whether the cause is the key"),
        ("<title>Forbidden</title>", "for an unknown reason", "whether the cause is the key"),
        ('{"error": "Invalid API key"}', "refuses the key", "correct OPENAI_API_KEY"),
        ('{"code": "insufficient_user_quota"}', "out of credit", "top up"),
    ],
)
async def test_a_403_is_not_always_a_refused_key(
    tmp_path: Path, body: str, found: str, advice: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=403, text=body)

    app = web.Application()
    app.router.add_get("/v1/videos", answer)
    async with TestServer(app) as server:
        seen = await look(
            "VIDEO_BACKEND",
            tmp_path,
            video_backend="openai",
            openai_base_url=str(server.make_url("/v1")),
        )
    assert not seen.ok
    assert found in seen.found
    assert advice in seen.advice


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
        (["wan"], {"video_model": "-"}, True, "default model"),
        (["openai/*"], {}, True, "model sora-2 not checked"),
        ([], {}, True, "model sora-2 not checked"),
        (None, {}, True, "key not checked, model sora-2 not checked"),
        (["sora-2"], {"openai_api_key": ""}, True, "answers, no key, model"),
        (
            ["sora-2"],
            {"openai_webhook_secret": SECRET},
            True,
            "webhooks possible, only from this network",
        ),
        (
            ["sora-2"],
            {"openai_webhook_secret": SECRET, "public_url": "https://c.example"},
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
        (Trouble.SETUP, "recognise the address or model", "VIDEO_MODEL"),
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


async def test_the_last_count_of_orphans_is_reported(tmp_path: Path, clock: Clock) -> None:
    assert (await look("orphaned jobs", tmp_path)).found.startswith("not counted")
    async with open_bench(tmp_path, clock) as bench:
        assert (await look("orphaned jobs", tmp_path)).found.startswith("not counted")
        for number, is_whole in ((0, True), (3, True), (20, False)):
            await bench.listings.record_count(
                "storyboard", "a key", number, is_whole=is_whole, now=clock()
            )
            seen = await look("orphaned jobs", tmp_path)
            amount = "at least 20" if not is_whole else str(number or "none")
            assert seen.found == f"{amount} at storyboard, counted 2027-01-15 08:00 UTC"
            assert (seen.ok, bool(seen.advice)) == (True, number > 0)


async def test_the_reported_costs_are_compared_with_the_ledger(
    tmp_path: Path, clock: Clock
) -> None:
    settings = load_settings(
        data_dir=tmp_path,
        video_backend="openai",
        openai_base_url="http://127.0.0.1:9/v1",
        price_per_clip=0.8,
    )
    assert not examine_reported_costs(settings).checked
    backend = FakeBackend(clock, name="openai")
    async with open_bench(tmp_path, clock, backend=backend, price=800_000) as bench:
        assert not examine_reported_costs(settings).checked
        for cost, found, advice in (
            (0.5, "$0.50 by openai for 1 clip, $0.50 in the ledger", ""),
            (1.25, "$1.75 by openai for 2 clips, $1.75 in the ledger", "has cost $1.25, more than"),
        ):
            job = await bench.at(JobState.GENERATING)
            await bench.jobs.move(job, JobState.DOWNLOADING, Changes(cost=cost))
            finding = examine_reported_costs(settings)
            assert (finding.ok, finding.found) == (True, found)
            assert advice in finding.advice
        job = await bench.at(JobState.UNDECIDED)
        await bench.jobs.retry_undecided(job.id)
        job = await bench.jobs.begin_submit(await bench.now(job.id))
        assert job is not None
        job = await bench.jobs.move(job, JobState.GENERATING, Changes(remote_id="another"))
        assert job is not None
        await bench.jobs.move(job, JobState.DOWNLOADING, Changes(cost=0.25))
        found = "$2.00 by openai for 3 clips, $2.80 in the ledger"
        assert examine_reported_costs(settings).found == found


async def test_a_queue_that_is_not_paused_is_described(tmp_path: Path) -> None:
    assert (await look("queue", tmp_path)).found == "not paused"


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
        (
            {"video_seconds": 4, "video_seconds_max": 7},
            True,
            "about $1.60 to $2.40 a clip, clips of 4 s, up to 6 s for a narration, polling only",
        ),
        (
            {"video_seconds_max": 30},
            True,
            "about $3.20 a clip, clips of 8 s only, because longer clips are not on offer",
        ),
        ({"video_model": "a/free"}, True, "model a/free known, no price is listed, polling only"),
        ({"openrouter_api_key": "sk-wrong"}, False, "refuses the key"),
        ({"video_seconds": 5}, False, "VIDEO_SECONDS: google/veo-3.1 makes clips of 4, 6, 8"),
        (
            {"openrouter_base_url": "http://127.0.0.1:9/v1"},
            False,
            "http://127.0.0.1:9/v1 can't be used",
        ),
        (
            {"openrouter_webhook_secret": SECRET, "public_url": "https://clapper.example"},
            True,
            "webhooks possible",
        ),
        (
            {"openrouter_webhook_secret": SECRET, "public_url": "http://clapper.example"},
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
        ({}, True, "gemini (experimental): gemini-omni-1.2-flash, about $0.56 a clip"),
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
    listed.write_text("one\n# two\nthree # four\n")
    found = await look("blocked words", tmp_path, blocked_words_file=str(listed))
    assert (found.ok, found.found) == (True, "2 words")


# --- the voice ---


async def voice(tmp_path: Path, **settings: object) -> Finding:
    return await look("NARRATION_BACKEND", tmp_path, **settings)


async def test_no_voice_is_no_problem(tmp_path: Path) -> None:
    found = await voice(tmp_path)
    assert (found.ok, found.found) == (
        True,
        "off: narrations must be audio files; text is not read aloud",
    )


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
        found = await voice(
            tmp_path,
            narration_backend="openai",
            narration_base_url=api.base_url,
            narration_voices="en=echo,de=onyx",
        )
        words = "spoke a word with each of 2 voices in 2.0 s"
        assert found.found.startswith(f"openai (English, Deutsch): {words} at -")
        assert api.voices == ["alloy", "echo", "onyx"]


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
