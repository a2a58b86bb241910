"""Tests `POST /api/narrate`, which returns a text as sound for an order."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import MediaError, UserError
from bot.moderation.base import Reason
from bot.speech import narrator
from tests.support.blank_texts import BLANK_TEXTS
from tests.support.clients import described
from tests.support.clients.site import OTHER_TOKEN, TOKEN, Caller, open_site
from tests.support.desk import make_narrator
from tests.support.fakes.bench import open_bench
from tests.support.fakes.clock import PATIENCE
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.prompts import FakeModerator
from tests.support.media import clips
from tests.support.media.measurements import loudness, sound_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

TEXT = "A lighthouse speaks."
DAY = 24 * 60 * 60


@pytest.fixture
def voice(tmp_path: Path) -> FakeVoice:
    clips.make_tone(tmp_path / "tone.mp3", seconds=3, volume=0.05)
    return FakeVoice((tmp_path / "tone.mp3").read_bytes())


@pytest.fixture
async def caller(bench: Bench, clock: Clock, voice: FakeVoice) -> AsyncGenerator[Caller]:
    async with open_site(bench, narrator=make_narrator(bench, clock, voice)) as opened:
        yield opened


async def narrate(caller: Caller, text: object = TEXT, **options: Any) -> tuple[int, Any]:
    """Have a text spoken, and return the status with the sound, or with the error's key."""
    token = options.pop("token", TOKEN)
    async with caller.http.post(
        "/api/narrate",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        data=options.pop("data", None) or json.dumps({"text": text}),
    ) as response:
        if response.status == 200:
            assert response.content_type == "audio/mpeg"
            return 200, await response.read()
        answer = await response.json()
        described.check("POST", "/api/narrate", response.status, answer)
        return response.status, answer["error"]["key"]


async def test_a_spoken_text_can_be_sent_as_the_narration_of_an_order(
    caller: Caller, voice: FakeVoice, tmp_path: Path
) -> None:
    status, sound = await narrate(caller, f"  {TEXT}\n")
    assert (status, voice.spoken) == (200, [TEXT])
    spoken = tmp_path / "spoken.mp3"
    spoken.write_bytes(sound)
    assert sound_seconds(spoken) == pytest.approx(3, abs=0.1)
    assert loudness(spoken) == pytest.approx(-16, abs=1)
    form = {"scriptOrQuestion": "a lighthouse", "audioBuffer": spoken.open("rb")}
    status, answer = await caller.ask("POST", "/api/generate", data=form)
    assert status == 200, answer
    await caller.finish(answer["jobId"])
    assert caller.bench.workspace.video(answer["jobId"]).read_bytes().endswith(b"with voice")


async def test_the_same_text_is_paid_for_and_counted_once(caller: Caller, voice: FakeVoice) -> None:
    first = await narrate(caller)
    assert [await narrate(caller) for _ in range(4)] == [first] * 4
    assert voice.spoken == [TEXT]
    assert (await narrate(caller, token=OTHER_TOKEN))[0] == 200
    assert voice.spoken == [TEXT, TEXT]

    bench = caller.bench
    folders = (await bench.workspace.inventory()).folders
    assert len(folders) == 4  # for each client, one of the sound and one of its words
    bench.clock.now = max(folder.modified_at for folder in folders) + DAY + 1
    await bench.retention.sweep()
    assert not (await bench.workspace.inventory()).folders
    assert (await narrate(caller))[0] == 200
    assert voice.spoken == [TEXT] * 3


async def test_a_recording_that_was_made_before_a_failure_is_not_paid_for_again(
    caller: Caller, voice: FakeVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise MediaError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(narrator, "write_mp3", fail)
        assert await narrate(caller) == (503, "speech.unavailable")
    assert (await narrate(caller))[0] == 200
    assert voice.spoken == [TEXT]


async def test_an_interrupted_recording_is_not_paid_for_again_unasked(
    bench: Bench, clock: Clock, voice: FakeVoice
) -> None:
    voice.answer.clear()
    speaker = make_narrator(bench, clock, voice)
    speaking = asyncio.create_task(speaker.speak_for("web", TEXT))
    async with asyncio.timeout(PATIENCE):
        while not voice.spoken:  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0)
    speaking.cancel()
    await asyncio.wait({speaking})
    voice.answer.set()
    async with open_site(bench, narrator=make_narrator(bench, clock, voice)) as caller:
        assert await narrate(caller) == (503, "speech.unsure")
        assert voice.spoken == [TEXT]
        clock.advance(DAY + 1)  # all three calls were counted
        assert (await narrate(caller))[0] == 200


async def test_a_client_that_waits_too_long_for_a_slot_is_not_charged(
    caller: Caller, voice: FakeVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrator, "_MAX_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(narrator, "_SLOTS", 1)
    bench = caller.bench
    voice.answer.clear()
    speaker = make_narrator(bench, bench.clock, voice)
    first = asyncio.create_task(speaker.speak_for("web", TEXT))
    async with asyncio.timeout(PATIENCE):
        while not voice.spoken:  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0)
    with pytest.raises(UserError, match=r"speech\.unavailable"):
        await speaker.speak_for("other", TEXT)
    voice.answer.set()
    await first
    assert voice.spoken == [TEXT]


async def test_narrations_have_a_daily_cap_per_client_and_in_total(caller: Caller) -> None:
    assert [(await narrate(caller, f"text {n}"))[0] for n in range(2)] == [200, 200]
    assert await narrate(caller) == (429, "speech.user")
    assert (await narrate(caller, token=OTHER_TOKEN))[0] == 200
    assert await narrate(caller, "more", token=OTHER_TOKEN) == (429, "speech.day")
    caller.bench.clock.advance(DAY + 1)
    await caller.bench.retention.sweep()
    assert (await narrate(caller))[0] == 200


async def test_a_client_has_one_text_spoken_at_a_time(caller: Caller, voice: FakeVoice) -> None:
    voice.answer.clear()
    first = asyncio.create_task(narrate(caller))
    async with asyncio.timeout(PATIENCE):
        while not voice.spoken:  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0)
    assert await narrate(caller, "another") == (429, "speech.busy")
    voice.answer.set()
    assert (await first)[0] == 200


INVALID: tuple[tuple[object, int, str], ...] = (
    ({"text": "..."}, 400, "speech.empty"),
    ({"text": BLANK_TEXTS["a mixture"]}, 400, "speech.empty"),
    ({"text": "a" * 1001}, 400, "speech.too_much"),
    ({"text": "half \ud83c"}, 400, "prompt.garbled"),
    ({"text": 7}, 400, "api.no_text"),
    ({}, 400, "api.no_text"),
    ({"text": TEXT, "voice": "deep"}, 400, "api.only_text"),
    ([TEXT], 400, "api.not_json"),
    ({"text": "a" * 20_000}, 413, "api.too_large"),
)


async def test_an_invalid_text_is_refused_and_not_counted(caller: Caller, voice: FakeVoice) -> None:
    for body, status, key in INVALID:
        assert await narrate(caller, data=json.dumps(body)) == (status, key), body
    assert voice.spoken == []
    assert [(await narrate(caller, f"text {n}"))[0] for n in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("fault", "status", "key"),
    [
        (UserError("speech.unsure"), 503, "speech.unsure"),
        (UserError("speech.refused"), 500, "speech.refused"),
        (UserError("speech.other_letters"), 400, "speech.other_letters"),
        (UserError("speech.other_language", languages="x"), 400, "speech.other_language"),
        (MediaError("no room"), 503, "speech.unavailable"),
    ],
)
async def test_a_refusal_by_the_voice_is_passed_on(
    caller: Caller, voice: FakeVoice, fault: Exception, status: int, key: str
) -> None:
    voice.faults.append(fault)
    assert await narrate(caller) == (status, key)
    assert voice.spoken == []


async def test_a_blocked_word_and_a_moderated_text_are_not_spoken(
    tmp_path: Path, clock: Clock, voice: FakeVoice
) -> None:
    moderator = FakeModerator(reasons={"violence": Reason.VIOLENCE})
    async with (
        open_bench(tmp_path, clock, blocked=("secret",), moderator=moderator) as bench,
        open_site(bench, narrator=make_narrator(bench, clock, voice)) as caller,
    ):
        assert await narrate(caller, "the secret word") == (400, "prompt.blocked")
        status, key = await narrate(caller, "violence")
    assert (status, key) == (400, Reason.VIOLENCE)
    assert voice.spoken == []


async def test_without_a_voice_the_request_is_refused(bench: Bench) -> None:
    async with open_site(bench) as caller:
        assert await narrate(caller) == (409, "api.no_voice")


async def test_nothing_else_can_be_chosen(caller: Caller, voice: FakeVoice) -> None:
    for path, kind, status, key in (
        ("/api/narrate?voice=deep", "application/json", 400, "api.only_text"),
        ("/api/narrate?renderVersion=v2", "application/json", 400, "api.render_version"),
        ("/api/narrate", "text/plain", 415, "api.json_only"),
    ):
        sent = {"data": json.dumps({"text": TEXT}), "headers": {"Content-Type": kind}}
        refused, answer = await caller.ask("POST", path, **sent)
        assert (refused, answer["error"]["key"]) == (status, key), path
    assert voice.spoken == []


async def test_a_request_without_a_token_is_refused(caller: Caller, voice: FakeVoice) -> None:
    status, _ = await caller.ask("POST", "/api/narrate", token=None, json={"text": TEXT})
    assert (status, voice.spoken) == (401, [])
