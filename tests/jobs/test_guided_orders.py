"""A narration is sent with its create request at most once, and only if that is allowed."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.artifacts import NO_VOICE, OrderedVoice, VoiceUse
from bot.backends.capabilities import Capabilities, SoundForm
from bot.errors import (
    BackendError,
    ErrorKind,
    MediaError,
    RefusedVoiceError,
    UnconfirmedSubmitError,
)
from bot.model import Job, JobState
from tests.support.fakes.bench import open_bench
from tests.support.fakes.lost_answers import ListedBackend, check, run_both
from tests.support.fakes.orders import VOICE
from tests.support.outcomes import assert_failed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.bench import Bench
    from tests.support.fakes.clock import Clock

ALLOWED = OrderedVoice(use=VoiceUse.ALLOWED, service="video.example")
INLINE = Capabilities(sound_forms=(SoundForm.DATA_URL, SoundForm.LINK))
LINKED = Capabilities(sound_forms=(SoundForm.LINK,))
SOUND = b"https://cdn.example/voice.ogg?ex=1"


async def queued(bench: Bench, voice: OrderedVoice = ALLOWED) -> Job:
    job = await bench.submit(attachment=VOICE, voice=voice)
    return await bench.step(job.id)


async def test_the_model_hears_a_voice_that_may_go_along(bench: Bench) -> None:
    bench.backend.capabilities = INLINE
    made = await bench.step((await queued(bench)).id)
    (url,) = bench.backend.heard
    assert url is not None
    kind, _, content = url.partition(",")
    assert (kind, base64.b64decode(content)) == ("data:audio/mpeg;base64", SOUND)
    assert (made.state, made.voice.use) == (JobState.GENERATING, VoiceUse.SENT)
    assert made.request.reference == bench.backend.only.request.reference != ""


async def test_a_service_that_takes_links_gets_one_that_is_valid_for_an_hour(bench: Bench) -> None:
    bench.backend.capabilities = LINKED
    job = await bench.step((await queued(bench)).id)
    (url,) = bench.backend.heard
    assert url is not None
    assert url.startswith("https://clapper.example/n/")
    token = url.rpartition("/")[2]
    assert bench.links.check_for_voice(token) == job.id
    assert bench.links.check(token) is None
    bench.clock.advance(3600)
    assert bench.links.check_for_voice(token) is None


@pytest.mark.parametrize(
    ("voice", "features", "use"),
    [
        (NO_VOICE, INLINE, None),
        (OrderedVoice(use=VoiceUse.WITHHELD), INLINE, VoiceUse.WITHHELD),
        (replace(ALLOWED, service="elsewhere.example"), INLINE, VoiceUse.WITHHELD),
        (ALLOWED, Capabilities(), VoiceUse.UNSUPPORTED),
    ],
)
async def test_no_other_voice_leaves(
    bench: Bench, voice: OrderedVoice, features: Capabilities, use: VoiceUse | None
) -> None:
    bench.backend.capabilities = features
    made = await bench.step((await queued(bench, voice)).id)
    assert bench.backend.heard == [None]
    assert (made.state, made.voice.use, made.request.reference) == (JobState.GENERATING, use, "")


async def test_a_voice_that_cant_be_sent_is_only_laid_over(bench: Bench) -> None:
    bench.backend.capabilities = INLINE
    bench.encoder.faults.append(MediaError("ffmpeg failed"))
    made = await bench.step((await queued(bench)).id)
    assert (made.voice.use, bench.backend.heard) == (VoiceUse.UNPREPARED, [None])


async def test_the_refusal_of_a_voice_leads_to_one_more_post_with_a_new_key(bench: Bench) -> None:
    bench.backend.capabilities = INLINE
    job = await queued(bench)
    bench.backend.refusals.append(RefusedVoiceError(ErrorKind.INVALID, "bad audio_reference"))
    refused = await bench.step(job.id)
    assert (refused.state, refused.voice.use) == (JobState.QUEUED, VoiceUse.REFUSED)
    assert refused.submitted_at is None
    made = await bench.step(job.id)
    assert made.state is JobState.GENERATING
    assert [url is None for url in bench.backend.heard] == [False, True]
    assert bench.backend.only.create_key == made.create_key != refused.create_key
    assert (made.voice.use, made.request.reference) == (VoiceUse.REFUSED, "")


async def test_a_second_refusal_ends_the_job(bench: Bench, sentences: frozenset[str]) -> None:
    bench.backend.capabilities = INLINE
    job = await queued(bench)
    bench.backend.refusals += [
        RefusedVoiceError(ErrorKind.INVALID, "bad audio_reference"),
        BackendError(ErrorKind.INVALID, "bad prompt"),
    ]
    await assert_failed(bench, job, "failed.invalid", sentences)
    assert bench.backend.posts == 2


async def test_a_repeated_create_request_with_the_same_voice_keeps_its_key(bench: Bench) -> None:
    bench.backend.capabilities = INLINE
    job = await queued(bench)
    bench.backend.refusals.append(BackendError(ErrorKind.RATE, "busy"))
    refused = await bench.step(job.id)
    made = await bench.step(job.id)
    assert refused.create_key == made.create_key
    assert bench.backend.heard[0] == bench.backend.heard[1] is not None


@pytest.mark.parametrize("arrives", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("trusted", [True, False])
async def test_lost_answers_of_the_same_words_with_other_voices_mix_up_no_videos(
    tmp_path: Path, clock: Clock, *, trusted: bool, arrives: tuple[bool, bool]
) -> None:
    features = replace(INLINE, lengths=(8,), echoes=frozenset({"prompt", "seconds"}))
    for number, second in enumerate((ALLOWED, OrderedVoice(use=VoiceUse.WITHHELD))):
        backend = ListedBackend(clock, capabilities=features, complete=trusted)
        backend.finish()
        backend.lost_creates = [*arrives]
        async with open_bench(tmp_path / str(number), clock, backend=backend) as bench:
            if trusted:
                await bench.trust_list()
            jobs = list[Job]()
            for person, voice in enumerate((ALLOWED, second), start=1):
                sound = replace(VOICE, url=f"https://cdn.example/{person}.ogg")
                job = await bench.submit(attachment=sound, voice=voice, user_id=person)
                jobs.append(await bench.step(job.id))
            ended = await run_both(bench, jobs)
            check(backend, ended)
            assert len({made.request.reference for made in backend.charged.values()}) == len(
                backend.charged
            )
            if trusted:
                assert {job.state for job in ended} == {JobState.SUCCEEDED}


async def test_a_create_without_the_voice_waits_for_the_answer_about_one_with_it(
    bench: Bench,
) -> None:
    bench.backend.capabilities = replace(INLINE, echoes=frozenset({"prompt", "seconds"}))
    first, second = await queued(bench), await queued(bench, NO_VOICE)
    bench.backend.lost_answers.append(UnconfirmedSubmitError("no answer"))
    assert (await bench.step(first.id)).state is JobState.UNCONFIRMED
    assert (await bench.step(second.id)).state is JobState.QUEUED
    assert bench.backend.posts == 1
