"""The whole bot: what a video service gets of a voice, with consent and without it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from yarl import URL

from bot.runtime.parts import hearing
from tests.support.fakes.clock import PATIENCE
from tests.support.media import measurements, sync
from tests.support.providers.openrouter_api import OpenRouterApi, model
from tests.support.wire import button, open_wire, query

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = {
    "video_backend": "openai",
    "openai_audio_reference": "on",
    "narration_mode": "guide",
    "video_label": "Example Video",
}
# The lengths of the voices in seconds. The second outlasts its clip.
VOICES = (5.3, 9.2)


async def test_a_service_outside_hears_a_voice_only_after_the_person_has_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "is_local", lambda _: False)  # the stand-in is on this machine
    voice = sync.make_voice(tmp_path, seconds=VOICES[0])
    async with open_wire(tmp_path, seconds_per_job=None) as wire, wire.bot(**GUIDE):
        question = await wire.video("A kite", voice)
        assert "Example Video" in question.text
        pressed = await wire.fake_discord.click(question, button(question, "No, only lay it over"))
        wire.api.finish(await wire.api.created())
        await wire.wait_for_video(await wire.fake_discord.answer_to(pressed))
        await wire.wait_for_job()
        # Nothing but the request itself left: neither the sound nor a link to it.
        (kept,) = wire.api.made("POST")
        assert {*kept.form} == {"prompt", "seconds", "size", "model"}
        sent = " ".join(map(str, kept.form.values()))
        assert "audio" not in sent
        assert "/n/" not in sent
        privacy = await wire.fake_discord.answer_to(await wire.fake_discord.slash("privacy"))
        await wire.fake_discord.click(privacy, button(privacy, "Forget my answer"))
        await wire.fake_discord.wait_for(lambda: "Before your first request" in privacy.text)

        question = await wire.video("A boat", voice)
        pressed = await wire.fake_discord.click(question, button(question, "Yes, send it"))
        card = await wire.fake_discord.answer_to(pressed)
        made = await wire.api.created(2)
        heard: Any = json.loads(wire.api.made("POST")[-1].form["audio_reference"])
        kind, _, content = heard["audio_url"].partition(",")
        assert kind == "data:audio/mpeg;base64"
        mp3 = base64.b64decode(content)
        assert b"PRIV" not in mp3
        wire.api.clips[made] = await asyncio.to_thread(
            sync.make_heard_clip, tmp_path, mp3, seconds=VOICES[0]
        )
        wire.api.finish(made)
        await wire.wait_for_video(card)
        await wire.wait_for_job()
        assert wire.creates() == 2
    rows = query(wire.data_dir, "SELECT voice_use, voice_digest, id FROM jobs ORDER BY created_at")
    assert [use for use, *_ in rows] == ["withheld", "sent"]
    assert [digest for _, digest, _ in rows] == ["", hashlib.sha256(mp3).hexdigest()]
    await asyncio.to_thread(sync.assert_in_sync, wire.data_dir / "videos" / f"{rows[1][2]}.mp4")


async def test_openrouter_fetches_the_voice_by_a_link_until_the_job_has_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    voice = sync.make_voice(tmp_path, seconds=VOICES[1])
    async with open_wire(tmp_path) as wire, OpenRouterApi(clip=wire.clip) as api:
        api.models = [model("bytedance/seedance-2.5")]
        settings = GUIDE | {
            "video_backend": "openrouter",
            "openrouter_base_url": api.base_url,
            "openrouter_api_key": "k",
            "video_model": "bytedance/seedance-2.5",
            "public_url": "https://clapper.example",
        }
        async with wire.bot(**settings), aiohttp.ClientSession() as service:
            card = await wire.video("A kite", voice)  # the stand-in is on this machine
            call = await api.wait_for("POST", "/videos")
            [reference] = call.form["input_references"]
            link = URL(reference["audio_url"]["url"])
            assert str(link).startswith("https://clapper.example/n/")
            here = URL(f"http://127.0.0.1:{wire.port}{link.path}")
            async with asyncio.timeout(PATIENCE), service.get(here) as answer:
                assert (answer.status, answer.content_type) == (200, "audio/mpeg")
                heard = await answer.read()
            made = await api.created()
            api.clips[made] = await asyncio.to_thread(
                sync.make_heard_clip, tmp_path, heard, seconds=VOICES[1]
            )
            api.finish(made)
            await wire.wait_for_video(card)
            await wire.wait_for_job()
            async with service.get(here) as answer:
                assert answer.status == 404
    # The person's own sound is laid over, and the clip's last frame is held for the rest of it.
    video = wire.data_dir / "videos" / f"{link.name[:32]}.mp4"
    assert measurements.sound_seconds(video) == pytest.approx(VOICES[1], abs=0.03)
    await asyncio.to_thread(sync.assert_in_sync, video)
    assert link.name not in caplog.text
