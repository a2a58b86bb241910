"""The sound that is sent with a create request, and the refusals of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.backends.base import VoiceSound
from bot.backends.responses import error_kinds
from bot.errors import BackendError, ErrorKind, RefusedVoiceError, UnconfirmedSubmitError
from tests.support.providers.contract import OPENAI, OPENROUTER
from tests.support.providers.stand_in import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.providers.contract import Entry

INLINE = VoiceSound(url="data:audio/mpeg;base64,SUQz")
LINK = VoiceSound(url="https://clapper.example/n/" + "0" * 32 + ".1.mac-mac")
REFUSALS: dict[str, Any] = {
    "vLLM-Omni": {"detail": "Invalid audio_reference.audio_url: failed to download audio."},
    "vLLM-Omni, wrapped": {
        "error": {"message": "MiniMax H3 reference audio must use a WAV or MP3 file.", "code": 400}
    },
    "Starlette": {"detail": "Part exceeded maximum size of 1024KB."},
    "FastAPI": {"detail": [{"type": "json", "loc": ["body", "audio_reference"], "msg": "bad"}]},
    "OpenRouter": {"error": {"code": 400, "message": "input_references: Invalid input"}},
    "Seedance": {
        "error": {
            "code": "InvalidParameter",
            "message": "first/last frame content cannot be mixed with reference media content",
        }
    },
    "any": {"error": {"message": "Audio input is not supported by this model."}},
}
OTHERS: dict[str, tuple[int, Any, ErrorKind]] = {
    "a bad prompt": (400, {"error": {"message": "Invalid prompt"}}, ErrorKind.INVALID),
    "moderated": (
        400,
        {"error": {"code": "InputAudioSensitiveContentDetected", "message": "reference audio"}},
        ErrorKind.MODERATED,
    ),
    "busy": (429, {"error": {"message": "too many reference audio requests"}}, ErrorKind.RATE),
    "no credit": (402, {"error": {"message": "audio_reference"}}, ErrorKind.BALANCE),
}


async def refusal(
    entry: Entry, folder: Path, fault: Fault, voice: VoiceSound | None, prompt: str | None = None
) -> BackendError:
    request = replace(entry.request, prompt=prompt or entry.request.prompt)
    async with entry.open(folder / "clip.mp4") as api:
        api.add_faults("create", fault)
        backend = entry.connect(api.base_url)
        try:
            with pytest.raises(BackendError) as caught:
                await backend.submit(request, create_key="k", voice=voice)
        finally:
            await backend.close()
        assert len(api.made("POST")) == 1
    return caught.value


async def test_each_dialect_names_the_sound_in_its_own_way(tmp_path: Path) -> None:
    for entry, name, expected in (
        (OPENAI, "audio_reference", json.dumps({"audio_url": INLINE.url})),
        (OPENROUTER, "input_references", [{"type": "audio_url", "audio_url": {"url": LINK.url}}]),
    ):
        async with entry.open(tmp_path / "clip.mp4") as api:
            backend = entry.connect(api.base_url)
            await backend.submit(
                entry.request, create_key="k", voice=INLINE if entry is OPENAI else LINK
            )
            await backend.submit(entry.request, create_key="k")
            await backend.close()
            first, second = api.made("POST")
        assert first.form[name] == expected
        assert name not in second.form


@pytest.mark.parametrize("name", REFUSALS)
async def test_the_refusal_of_a_sound_is_told_from_others(name: str, tmp_path: Path) -> None:
    for entry in (OPENAI, OPENROUTER):
        for status in (400, 422):
            fault = Fault(status=status, body=REFUSALS[name])
            error = await refusal(entry, tmp_path, fault, INLINE)
            assert isinstance(error, RefusedVoiceError), error
            error = await refusal(entry, tmp_path, fault, None)
            assert not isinstance(error, RefusedVoiceError)


@pytest.mark.parametrize("name", OTHERS)
async def test_other_refusals_of_an_order_with_a_sound_stay_what_they_are(
    name: str, tmp_path: Path
) -> None:
    status, body, kind = OTHERS[name]
    error = await refusal(OPENAI, tmp_path, Fault(status=status, body=body), INLINE)
    assert (type(error), error.kind) == (BackendError, kind)


async def test_a_request_that_is_too_large_is_sent_again_without_its_sound(tmp_path: Path) -> None:
    fault = Fault(status=413, body="<html><title>413 Request Entity Too Large</title></html>")
    assert isinstance(await refusal(OPENAI, tmp_path, fault, INLINE), RefusedVoiceError)
    assert type(await refusal(OPENAI, tmp_path, fault, None)) is BackendError


async def test_an_answer_that_proves_nothing_stays_in_doubt(tmp_path: Path) -> None:
    fault = Fault(status=500, body={"error": {"message": "audio_reference is not supported"}})
    assert isinstance(await refusal(OPENAI, tmp_path, fault, INLINE), UnconfirmedSubmitError)


async def test_an_error_repeats_neither_the_sound_nor_its_link(tmp_path: Path) -> None:
    for voice in (INLINE, LINK):
        body = {"error": {"message": f"Invalid audio_reference: can't read {voice.url}, sorry"}}
        error = await refusal(OPENAI, tmp_path, Fault(status=400, body=body), voice)
        assert "sorry" in error.message
        assert "SUQz" not in str(error)
        assert "mac-mac" not in str(error)
        assert voice.url not in repr(voice)


@pytest.mark.parametrize(("slash", "colon"), [("%2F", "%3A"), ("\\/", ":"), ("\\u002f", ":")])
def test_an_escaped_sound_or_link_is_not_repeated_either(slash: str, colon: str) -> None:
    for sound in (INLINE, LINK):
        echoed = sound.url.replace("/", slash).replace(":", colon)
        message = error_kinds.describe({"error": f"could not load {echoed} in 3 tries"})
        assert message.startswith("could not load")
        assert not any(secret in message for secret in ("SUQz", "mac-mac"))


async def test_the_words_of_the_prompt_are_not_taken_for_the_services_own(tmp_path: Path) -> None:
    prompt = "audio is not supported on this stage"
    fault = Fault(status=400, body={"error": {"message": f"Invalid prompt: {prompt}"}})
    error = await refusal(OPENAI, tmp_path, fault, INLINE, prompt)
    assert type(error) is BackendError
