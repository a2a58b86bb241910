"""A link to a voice leads to the sound only while the video service works on the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yarl import URL

from bot.artifacts import OrderedVoice, VoiceUse
from bot.backends.capabilities import Capabilities, SoundForm
from bot.errors import MediaError
from bot.model import JobState
from bot.web.pages.voice_links import VoiceLinks
from tests.support.clients.web_server import serve
from tests.support.fakes.orders import VOICE

if TYPE_CHECKING:
    import pytest

    from tests.support.fakes.bench import Bench

SOUND = b"https://cdn.example/voice.ogg?ex=1"


async def test_the_link_ends_with_the_generation_and_its_token_is_not_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.backend.capabilities = Capabilities(sound_forms=(SoundForm.LINK,))
    allowed = OrderedVoice(use=VoiceUse.ALLOWED, service="video.example")
    job = await bench.submit(attachment=VOICE, voice=allowed)
    await bench.step(job.id)
    early = URL(bench.links.make_for_voice(job.id)).path
    caplog.set_level("DEBUG")
    routes = VoiceLinks(bench.links, bench.jobs, bench.encoder).routes
    async with serve(bench, routes) as site:
        assert (await site.get(early))[0].status == 404
        await bench.step(job.id)
        (url,) = bench.backend.heard
        path = URL(url or "").path
        answer, sound = await site.get(path)
        assert (answer.status, answer.headers["Content-Type"], sound) == (200, "audio/mpeg", SOUND)
        assert answer.headers["Cache-Control"] == "no-store"
        part, _ = await site.get(path, headers={"Range": "bytes=0-3"})
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes 0-3/{len(SOUND)}")
        for wrong in (path[:-3] + "AAA", path.replace("/n/", "/d/")):
            assert (await site.get(wrong))[0].status == 404
        bench.backend.finish()
        assert (await bench.step(job.id)).state is JobState.DOWNLOADING
        assert (await site.get(path))[0].status == 404
    assert path.rpartition("/")[2] not in caplog.text


async def test_a_process_on_another_machine_sends_the_kept_narration(bench: Bench) -> None:
    bench.backend.capabilities = Capabilities(sound_forms=(SoundForm.LINK,))
    allowed = OrderedVoice(use=VoiceUse.ALLOWED, service="video.example")
    job = await bench.submit(attachment=VOICE, voice=allowed)
    await bench.step(job.id)
    await bench.step(job.id)
    (url,) = bench.backend.heard
    bench.workspace.folder(job.id).voice.unlink()
    bench.encoder.faults.append(MediaError("the narration is missing"))
    async with serve(bench, VoiceLinks(bench.links, bench.jobs, bench.encoder).routes) as site:
        assert (await site.get(URL(url or "").path))[0].status == 404
        answer, sound = await site.get(URL(url or "").path)
        assert (answer.status, sound) == (200, SOUND)
