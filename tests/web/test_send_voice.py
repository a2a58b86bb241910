"""A client's order says itself whether the video service may hear the audio."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.artifacts import NO_VOICE, OrderedVoice, VoiceUse
from bot.backends.capabilities import Capabilities, SoundForm
from bot.jobs.guiding.permissions import HearingService
from tests.support.clients.site import Caller, open_site

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench

OUTSIDE = HearingService(host="video.example", label="", is_inside=False)
ALLOWED = OrderedVoice(use=VoiceUse.ALLOWED, service="video.example")
WITHHELD = OrderedVoice(use=VoiceUse.WITHHELD)
SOUND = b"OggS" + bytes(60)


async def ordered(caller: Caller, answer: Any, *, form: bool = False) -> OrderedVoice:
    fields: dict[str, Any] = {} if answer is None else {"sendVoice": answer}
    if form:
        body = aiohttp.FormData({"scriptOrQuestion": "a cat", **fields})
        body.add_field("audioBuffer", SOUND, filename="a.ogg")
        status, told = await caller.ask("POST", "/api/generate", data=body)
    else:
        audio = base64.b64encode(SOUND).decode()
        order = {"scriptOrQuestion": "a cat", "audioBuffer": audio, **fields}
        status, told = await caller.ask("POST", "/api/generate", json=order)
    assert status == 200, told
    return (await caller.bench.now(told["jobId"])).voice


async def test_without_the_field_no_voice_leaves_the_network(bench: Bench) -> None:
    bench.backend.capabilities = Capabilities(sound_forms=(SoundForm.LINK,))
    bench.voice_permissions.service = OUTSIDE
    async with open_site(bench) as caller:
        for answer, voice in ((None, WITHHELD), (False, WITHHELD), (True, ALLOWED)):
            assert await ordered(caller, answer) == voice
        for text, voice in ((None, WITHHELD), ("false", WITHHELD), ("true", ALLOWED)):
            assert await ordered(caller, text, form=True) == voice
        for wrong in (1, "yes", None, [], {}):
            order = {"scriptOrQuestion": "a cat", "sendVoice": wrong}
            status, told = await caller.ask("POST", "/api/generate", json=order)
            assert (status, told["error"]["key"]) == (400, "api.send_voice")


@pytest.mark.parametrize(
    ("hearing", "voice"), [(None, NO_VOICE), (replace(OUTSIDE, is_inside=True), ALLOWED)]
)
async def test_the_field_changes_nothing_where_no_one_has_to_agree(
    bench: Bench, hearing: HearingService | None, voice: OrderedVoice
) -> None:
    bench.backend.capabilities = Capabilities(sound_forms=(SoundForm.LINK,))
    bench.voice_permissions.service = hearing
    async with open_site(bench) as caller:
        for answer in (None, True):
            assert await ordered(caller, answer) == voice


async def test_a_key_belongs_to_the_answer_too(bench: Bench) -> None:
    async with open_site(bench) as caller:
        key, audio = {"Idempotency-Key": "k"}, base64.b64encode(SOUND).decode()
        order = {"scriptOrQuestion": "a cat", "audioBuffer": audio}
        assert (await caller.ask("POST", "/api/generate", json=order, headers=key))[0] == 200
        status, told = await caller.ask(
            "POST", "/api/generate", json={**order, "sendVoice": True}, headers=key
        )
        assert (status, told["error"]["key"]) == (422, "api.key_reused")
