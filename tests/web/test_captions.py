"""The API, the page of a shared video and its store give browsers the captions of a video."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from aiohttp import FormData
from yarl import URL

from tests.support.clients.site import OTHER_TOKEN, TOKEN, Caller, open_site
from tests.support.desk import make_narrator
from tests.support.fakes.media import FakeVoice
from tests.support.media import clips

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

TEXT = 'She said: "<b>No</b> & never -->".'
SHOWN = 'She said: "&lt;b&gt;No&lt;/b&gt; &amp; never --&gt;".'


@pytest.fixture
async def caller(bench: Bench, clock: Clock, tmp_path: Path) -> AsyncGenerator[Caller]:
    clips.make_tone(tmp_path / "tone.mp3", seconds=3, volume=0.05)
    voice = FakeVoice((tmp_path / "tone.mp3").read_bytes())
    async with open_site(
        bench, public_url="https://clapper.example", narrator=make_narrator(bench, clock, voice)
    ) as opened:
        yield opened


async def recorded(caller: Caller) -> bytes:
    """Have the text spoken for the client "web"."""
    async with caller.http.post(
        "/api/narrate",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        data=json.dumps({"text": TEXT}),
    ) as response:
        assert response.status == 200
        return await response.read()


async def made(caller: Caller, sound: bytes | None, *, token: str = TOKEN) -> str:
    """Order a video with a recording, and replace the result by a playable clip."""
    form = FormData({"scriptOrQuestion": "a lighthouse"}, default_to_multipart=True)
    if sound is not None:
        form.add_field("audioBuffer", BytesIO(sound))
    status, answer = await caller.ask("POST", "/api/generate", data=form, token=token)
    assert status == 200, answer
    await caller.finish(answer["jobId"])
    clips.make_clip(caller.bench.workspace.video(answer["jobId"]), seconds=1)
    return answer["jobId"]


async def listed(caller: Caller, *, token: str = TOKEN) -> list[bool]:
    _, answer = await caller.ask("GET", "/api/jobs", token=token)
    return [job["captions"] for job in answer["jobs"]]


async def fetch(caller: Caller, path: str, *, token: str = "") -> tuple[int, str, str]:
    """Return the status, the content type and the text of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with caller.http.get(path, headers=headers) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_a_video_of_a_spoken_text_has_captions_until_it_is_deleted(caller: Caller) -> None:
    job_id = await made(caller, await recorded(caller))
    assert await listed(caller) == [True]
    path = f"/api/captions?jobId={job_id}"
    status, content_type, text = await fetch(caller, path, token=TOKEN)
    assert (status, content_type) == (200, "text/vtt; charset=utf-8")
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    assert text.endswith(f"\n{SHOWN}\n")
    assert (await fetch(caller, path, token=OTHER_TOKEN))[0] == 404
    assert (await fetch(caller, path))[0] == 401

    _, share = await caller.ask("POST", f"/api/share?jobId={job_id}")
    link = URL(share["url"]).path
    status, _, page = await fetch(caller, link)
    token = link.rpartition("/")[2]
    track = f'<track kind="captions" label="Captions" src="{token}/captions.vtt" default>'
    assert (status, track in page.split("\n")) == (200, True)
    assert await fetch(caller, f"{link}/captions.vtt") == (200, content_type, text)

    assert await caller.bench.retention.delete(job_id)
    assert (await fetch(caller, f"{link}/captions.vtt"))[0] == 404
    assert (await fetch(caller, path, token=TOKEN))[0] == 404


async def test_a_withdrawn_link_gives_no_captions(caller: Caller) -> None:
    job_id = await made(caller, await recorded(caller))
    _, share = await caller.ask("POST", f"/api/share?jobId={job_id}")
    await caller.bench.artifacts.withdraw_shares(job_id)
    assert (await fetch(caller, f"{URL(share['url']).path}/captions.vtt"))[0] == 404


@pytest.mark.parametrize("is_narrated", [False, True])
async def test_a_video_whose_words_are_unknown_has_no_captions(
    caller: Caller, tmp_path: Path, *, is_narrated: bool
) -> None:
    sound = clips.make_tone(tmp_path / "other.mp3").read_bytes() if is_narrated else None
    job_id = await made(caller, sound)
    assert await listed(caller) == [False]
    status, answer = await caller.ask("GET", f"/api/captions?jobId={job_id}")
    assert (status, answer["error"]["key"]) == (404, "api.no_captions")
    _, share = await caller.ask("POST", f"/api/share?jobId={job_id}")
    link = URL(share["url"]).path
    assert "<track" not in (await fetch(caller, link))[2]
    assert (await fetch(caller, f"{link}/captions.vtt"))[0] == 404


async def test_another_client_learns_no_words_from_the_recording(caller: Caller) -> None:
    await made(caller, await recorded(caller), token=OTHER_TOKEN)
    assert await listed(caller, token=OTHER_TOKEN) == [False]
