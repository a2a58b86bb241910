"""The voice of a speech service: its only POST, its answers, and its refusals."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from openai import AsyncOpenAI

from bot.errors import UserError
from bot.speech.openai_voice import OpenAISpeech
from bot.speech.voice import speak_once
from tests.support.providers.openai_setup import KEY, names_in
from tests.support.providers.speech_api import SpeechApi
from tests.support.providers.stand_in import Fault
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

SOUND = b"ID3" + bytes(200_000)
TEXT = "A lighthouse speaks."


@pytest.fixture
async def api() -> AsyncGenerator[SpeechApi]:
    async with SpeechApi(SOUND, key=KEY) as api:
        yield api


def voice(api: SpeechApi, **options: Any) -> OpenAISpeech:
    values = {
        "base_url": api.base_url,
        "api_key": KEY,
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "max_bytes": 1_000_000,
    }
    return OpenAISpeech(**(values | options))


async def test_a_text_is_spoken_with_one_post_and_streamed_to_the_disk(
    api: SpeechApi, tmp_path: Path
) -> None:
    await voice(api).speak(TEXT, tmp_path / "voice")
    assert (tmp_path / "voice").read_bytes() == SOUND
    [call] = api.calls
    assert call.form == {
        "model": "gpt-4o-mini-tts",
        "input": TEXT,
        "voice": "alloy",
        "response_format": "mp3",
    }


async def test_the_request_is_the_same_as_the_sdks(api: SpeechApi, tmp_path: Path) -> None:
    await voice(api).speak(TEXT, tmp_path / "ours")
    async with (
        AsyncOpenAI(base_url=api.base_url, api_key=KEY, max_retries=0) as sdk,
        sdk.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", input=TEXT, voice="alloy", response_format="mp3"
        ) as response,
    ):
        await response.stream_to_file(tmp_path / "theirs")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    ours, theirs = api.calls
    assert (ours.method, ours.path, ours.form) == (theirs.method, theirs.path, theirs.form)
    for name in ("Authorization", "Content-Type"):
        assert ours.headers[name] == theirs.headers[name]


async def test_without_a_key_none_is_sent(tmp_path: Path) -> None:
    async with SpeechApi(SOUND) as api:
        await voice(api, api_key=None).speak(TEXT, tmp_path / "voice")
        assert "Authorization" not in api.calls[0].headers


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault(status=401), "speech.refused"),
        (Fault(status=402), "speech.refused"),
        (Fault(status=403), "speech.refused"),
        (Fault(status=403, body={"error": {"message": "内容违规"}}), "speech.moderated"),
        (Fault(status=404, body="no such route"), "speech.refused"),
        (Fault(status=400, body={"error": {"message": "unknown voice"}}), "speech.refused"),
        (
            Fault(status=400, body={"error": {"code": "content_policy_violation"}}),
            "speech.moderated",
        ),
        (Fault(status=429), "speech.unavailable"),
        (Fault(status=500, after=True), "speech.unsure"),
        (Fault(status=307, headers={"Location": "/v1/audio/speech"}), "speech.unsure"),
        (Fault(reset=True, after=True), "speech.unsure"),
        (Fault(cut=True), "speech.unsure"),
        (Fault(hang=True), "speech.unsure"),
    ],
)
async def test_a_refusal_is_a_sentence_and_is_not_retried(
    api: SpeechApi, tmp_path: Path, fault: Fault, key: str
) -> None:
    api.add_faults("speech", fault)
    patient = {"seconds": 0.5} if fault.hang else {}  # only the time-out needs a wait
    with pytest.raises(UserError) as caught:
        await voice(api, **patient).speak(TEXT, tmp_path / "voice")
    assert caught.value.key == key
    assert len(api.calls) == 1
    assert names_in(tmp_path) == []


async def test_an_unreachable_service_charges_nothing(api: SpeechApi, tmp_path: Path) -> None:
    gone = voice(api, base_url=f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(UserError, match=r"speech\.unavailable"):
        await gone.speak(TEXT, tmp_path / "voice")


async def test_an_endless_answer_is_cut_off(api: SpeechApi, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"speech\.unusable"):
        await voice(api, max_bytes=100_000).speak(TEXT, tmp_path / "voice")
    assert names_in(tmp_path) == []


async def test_a_key_that_is_refused_is_not_repeated_in_the_log(
    api: SpeechApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot")
    with pytest.raises(UserError, match=r"speech\.refused"):
        await voice(api, api_key="sk-wrong-9876543210").speak(TEXT, tmp_path / "voice")
    assert "Incorrect API key provided: ***" in caplog.text
    assert "sk-wrong" not in caplog.text


async def test_a_finished_file_is_not_paid_for_again(api: SpeechApi, tmp_path: Path) -> None:
    for _ in range(2):
        await speak_once(voice(api), TEXT, tmp_path / "voice")
    assert api.creates == [TEXT]


async def test_after_a_crash_in_the_middle_nothing_is_paid_again(
    api: SpeechApi, tmp_path: Path
) -> None:
    api.add_faults("speech", Fault(hang=True, after=True))
    speaking = asyncio.create_task(speak_once(voice(api), TEXT, tmp_path / "voice"))
    await api.created()
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    with pytest.raises(UserError, match=r"speech\.unsure"):
        await speak_once(voice(api), TEXT, tmp_path / "voice")
    assert api.creates == [TEXT]
