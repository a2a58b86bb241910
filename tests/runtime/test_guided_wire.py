"""The whole bot: what a video service gets of a voice, with consent and without it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.runtime.parts import hearing
from tests.support.media import clips, measurements
from tests.support.wire import button, open_wire, query

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = {
    "video_backend": "openai",
    "openai_audio_reference": "on",
    "narration_mode": "guide",
    "video_label": "Example Video",
}


async def test_a_service_outside_hears_a_voice_only_after_the_person_has_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "is_local", lambda _: False)  # the stand-in is on this machine
    voice = clips.make_speech(tmp_path / "voice.wav", seconds=3)
    async with open_wire(tmp_path) as wire, wire.bot(**GUIDE):
        question = await wire.video("A kite", voice)
        assert "Example Video" in question.text
        pressed = await wire.fake_discord.click(question, button(question, "Only lay it over"))
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
        await wire.fake_discord.wait_for(lambda: "Before your first order" in privacy.text)

        question = await wire.video("A boat", voice)
        pressed = await wire.fake_discord.click(question, button(question, "Send it"))
        card = await wire.fake_discord.answer_to(pressed)
        await wire.wait_for_video(card)
        await wire.wait_for_job()
        heard: Any = json.loads(wire.api.made("POST")[-1].form["audio_reference"])
        kind, _, content = heard["audio_url"].partition(",")
        assert kind == "data:audio/mpeg;base64"
        mp3 = tmp_path / "heard.mp3"
        await asyncio.to_thread(mp3.write_bytes, base64.b64decode(content))
        assert measurements.sound_seconds(mp3) == pytest.approx(3.0, abs=0.02)
        assert b"PRIV" not in mp3.read_bytes()
        assert wire.creates() == 2
    rows = query(wire.data_dir, "SELECT voice_use, voice_digest FROM jobs ORDER BY created_at")
    assert [use for use, _ in rows] == ["withheld", "sent"]
    assert [bool(digest) for _, digest in rows] == [False, True]
