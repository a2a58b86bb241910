from __future__ import annotations

import asyncio
import hashlib
import logging
import wave
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.artifacts import NOTE_HELD, NOTE_HELD_INSTEAD, NOTE_SILENT
from bot.errors import MediaError, UserError
from bot.jobs.editor import NarrationEditor
from bot.media.files.download import AttachmentFetcher
from bot.media.files.workspace import Workspace
from bot.media.mp4.reader import read_mp4
from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import DigitalSource
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.speech.voice import speak_once
from bot.speech.voices import Voices
from tests.support.fakes.media import FakeVoice
from tests.support.media import clips
from tests.support.media.measurements import level

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.media.files.job_folder import JobFolder
    from bot.speech.voice import Voice

JOB = "0" * 32
NEXT = "1" * 32
SMALL = NarrationOptions(fit=NarrationFit.LOOP, mix=NarrationMix.DUCK, max_bytes=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "data")


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[str]:
    """Serve the folder `attached` of `tmp_path` on a free port."""
    (tmp_path / "attached").mkdir()
    app = web.Application()
    app.router.add_static("/", tmp_path / "attached")
    async with TestServer(app) as server:
        yield str(server.make_url("/").origin())


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def editor(workspace: Workspace, origin: str, session: aiohttp.ClientSession) -> NarrationEditor:
    return NarrationEditor(
        Ffmpeg(clips.binary(), slots=1),
        Ffmpeg(clips.binary(), slots=1, in_background=True),
        AttachmentFetcher(session, hosts=frozenset({origin}), max_bytes=2 * 1024**2),
        workspace,
        options=SMALL,
        max_seconds=30,
    )


async def narrated(
    editor: NarrationEditor, workspace: Workspace, origin: str, attached: Path
) -> Path:
    """Put a clip and an ingested narration into the job's folder, and return the folder."""
    sound = clips.make_tone(attached / "voice.ogg", seconds=4)
    await editor.ingest(JOB, f"{origin}/{sound.name}")
    folder = workspace.folder(JOB)
    clips.make_clip(folder.clip, seconds=2)
    return folder.path


async def ingested_silence(workspace: Workspace, tmp_path: Path) -> JobFolder:
    """Ingest a silent file into the job's folder, as earlier versions did."""
    folder = await workspace.create(JOB)
    silence = clips.make_silence(tmp_path / "silence.wav", seconds=4)
    await ingest(Ffmpeg(clips.binary(), slots=1), silence, folder.narration, max_seconds=30)
    return folder


async def test_a_narrated_video_is_finished_with_a_note_on_the_merge(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    await narrated(editor, workspace, origin, tmp_path / "attached")
    video = await editor.finish(JOB, narrated=True)
    assert video.path == workspace.folder(JOB).result
    assert video.note == NOTE_HELD_INSTEAD
    assert read_mp4(video.path).seconds == pytest.approx(4, abs=0.1)
    assert read_mp4(video.path).digital_source is DigitalSource.MIX_WITH_MODEL


@pytest.mark.parametrize(
    ("clip_seconds", "fit", "note"),
    [
        (1, NarrationFit.HOLD, NOTE_HELD),
        (2, NarrationFit.HOLD, None),  # only the pause is longer
        (1, NarrationFit.TRIM, None),
    ],
)
async def test_a_picture_that_stands_still_while_the_voice_goes_on_is_explained(
    editor: NarrationEditor,
    workspace: Workspace,
    tmp_path: Path,
    *,
    clip_seconds: int,
    fit: NarrationFit,
    note: str | None,
) -> None:
    folder = await workspace.create(JOB)
    sound = clips.make_tone(tmp_path / "voice.wav", seconds=2)
    with wave.open(str(sound), "rb") as said:
        shape, samples = said.getparams(), said.readframes(said.getnframes())
    with wave.open(str(folder.attachment), "wb") as padded:
        padded.setparams(shape)
        padded.writeframes(samples + bytes(len(samples)))
    await editor.ingest_given(JOB)
    assert await editor.sound_end(JOB) == pytest.approx(2, abs=0.05)
    clips.make_clip(folder.clip, seconds=clip_seconds)
    options = NarrationOptions(fit=fit, mix=NarrationMix.REPLACE, max_bytes=1024**2)
    finishing = NarrationEditor(
        Ffmpeg(clips.binary(), slots=1),
        Ffmpeg(clips.binary(), slots=1),
        cast("AttachmentFetcher", None),  # nothing is fetched
        workspace,
        options=options,
        max_seconds=30,
    )
    assert (await finishing.finish(JOB, narrated=True)).note == note


async def test_a_text_that_a_machine_speaks_leaves_a_generated_video_wholly_generated(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    await narrated(editor, workspace, origin, tmp_path / "attached")
    video = await editor.finish(JOB, narrated=True, text="a text")
    assert read_mp4(video.path).digital_source is DigitalSource.MODEL


async def test_a_clip_that_plays_as_it_is_is_published_byte_for_byte(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    folder = await workspace.create(JOB)
    made = clips.make_clip(folder.clip, seconds=1).read_bytes()
    video = await editor.finish(JOB, narrated=False)
    artifact = await workspace.publish(JOB, video, now=0)
    assert workspace.video(JOB).read_bytes() == made
    assert artifact.sha256 == hashlib.sha256(made).hexdigest()


@pytest.mark.parametrize(
    "expression",
    [
        *("0", "0.00002*sin(2*PI*440*t)", "0.5", "0.9*sin(2*PI*21500*t)"),
        *("0.9*sin(2*PI*4*t)", "0.9*sin(2*PI*15*t)", "0.9*sin(2*PI*20*t)"),
    ],
    ids=["silence", "under the noise", "an offset", "too high", "4 Hz", "15 Hz", "20 Hz"],
)
async def test_a_silent_narration_is_refused_and_not_kept(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path, expression: str
) -> None:
    sound = clips.make_sound(tmp_path / "attached" / "voice.wav", expression, seconds=3)
    for _ in range(2):  # a step is repeated after a crash
        with pytest.raises(UserError, match=r"audio\.silent"):
            await editor.ingest(JOB, f"{origin}/{sound.name}")
    assert not await workspace.has_narration(JOB)

    kept = workspace.narration(JOB)
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(sound.read_bytes())  # by an earlier version
    with pytest.raises(UserError, match=r"audio\.silent"):
        await editor.ingest_kept(NEXT, of=JOB)

    given = await workspace.create("2" * 32)
    given.attachment.write_bytes(sound.read_bytes())
    with pytest.raises(UserError, match=r"audio\.silent"):
        await editor.ingest_given("2" * 32)


@pytest.mark.parametrize(
    "expression",
    [
        "0.05*sin(2*PI*440*t)*lt(t,0.4)",
        "0.05*sin(2*PI*440*t)*gt(t,2.6)",
        "0.005*sin(2*PI*60*t)",
        "0.1*sin(2*PI*30*t)",
        "0.5+0.02*sin(2*PI*300*t)",
        "0.01*sin(2*PI*16000*t)",
    ],
    ids=["a word at the start", "a word at the end", "60 Hz", "30 Hz", "beside an offset", "high"],
)
async def test_a_barely_audible_narration_is_accepted(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path, expression: str
) -> None:
    sound = clips.make_sound(tmp_path / "attached" / "voice.wav", expression, seconds=3)
    await editor.ingest(JOB, f"{origin}/{sound.name}")
    assert await workspace.has_narration(JOB)


async def test_a_silent_narration_that_an_earlier_version_accepted_is_noted(
    editor: NarrationEditor, workspace: Workspace, tmp_path: Path
) -> None:
    folder = await ingested_silence(workspace, tmp_path)
    clips.make_clip(folder.clip, seconds=2)
    assert (await editor.finish(JOB, narrated=True)).note == NOTE_SILENT


async def test_an_attachment_is_fetched_once(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    await narrated(editor, workspace, origin, tmp_path / "attached")
    (tmp_path / "attached" / "voice.ogg").unlink()
    await editor.ingest(JOB, f"{origin}/voice.ogg")


async def test_a_second_narration_replaces_the_clips_own_sound(
    editor: NarrationEditor, workspace: Workspace, tmp_path: Path
) -> None:
    folder = await ingested_silence(workspace, tmp_path)
    clips.make_clip(folder.clip, seconds=2)
    assert level((await editor.finish(JOB, narrated=True)).path, 0, 2) > -40
    video = await editor.finish(JOB, narrated=True, replacing=True)
    assert level(video.path, 0, 2) < -70


async def test_an_attachment_is_kept_unchanged_for_the_next_job(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    await narrated(editor, workspace, origin, tmp_path / "attached")
    attached = (tmp_path / "attached" / "voice.ogg").read_bytes()
    assert workspace.narration(JOB).read_bytes() == attached
    for _ in range(2):
        await editor.ingest_kept(NEXT, of=JOB)
        await workspace.delete_files(JOB)
    assert workspace.narration(NEXT).read_bytes() == attached
    assert workspace.folder(NEXT).narration.exists()


async def test_a_file_that_is_no_narration_is_not_kept(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    (tmp_path / "attached" / "voice.ogg").write_bytes(b"not a sound")
    with pytest.raises(UserError, match=r"audio\.not_audio"):
        await editor.ingest(JOB, f"{origin}/voice.ogg")
    assert not await workspace.has_narration(JOB)
    with pytest.raises(UserError, match=r"audio\.not_kept"):
        await editor.ingest_kept(NEXT, of=JOB)


@pytest.fixture
def voice(tmp_path: Path) -> FakeVoice:
    clips.make_tone(tmp_path / "spoken.mp3", seconds=3)
    return FakeVoice((tmp_path / "spoken.mp3").read_bytes())


def speaking(workspace: Workspace, session: aiohttp.ClientSession, voice: Voice) -> NarrationEditor:
    return NarrationEditor(
        Ffmpeg(clips.binary(), slots=1),
        Ffmpeg(clips.binary(), slots=1, in_background=True),
        AttachmentFetcher(session, hosts=frozenset(), max_bytes=1),
        workspace,
        options=SMALL,
        max_seconds=30,
        voices=Voices(voice),
    )


async def test_a_text_is_spoken_once_and_kept_for_the_next_job(
    workspace: Workspace, session: aiohttp.ClientSession, voice: FakeVoice
) -> None:
    editor = speaking(workspace, session, voice)
    for _ in range(2):
        await editor.speak(JOB, "a text")
    assert voice.spoken == ["a text"]
    assert workspace.narration(JOB).read_bytes() == voice.sound
    await editor.ingest_kept(NEXT, of=JOB)
    clips.make_clip(workspace.folder(NEXT).clip, seconds=2)
    video = await editor.finish(NEXT, narrated=True)
    assert read_mp4(video.path).seconds == pytest.approx(3, abs=0.1)


async def test_a_spoken_file_from_before_a_crash_is_not_paid_for_again(
    workspace: Workspace, session: aiohttp.ClientSession, voice: FakeVoice
) -> None:
    folder = await workspace.create(JOB)
    await speak_once(voice, "a text", folder.attachment)
    await speaking(workspace, session, voice).speak(JOB, "a text")
    assert voice.spoken == ["a text"]
    assert folder.narration.exists()


async def test_speech_that_may_have_been_paid_for_is_not_requested_again(
    workspace: Workspace, session: aiohttp.ClientSession, voice: FakeVoice
) -> None:
    editor = speaking(workspace, session, voice)
    voice.faults.append(MediaError("the disk is full"))
    with pytest.raises(MediaError, match="full"):
        await editor.speak(JOB, "a text")
    with pytest.raises(UserError, match=r"speech\.unsure"):
        await editor.speak(JOB, "a text")
    free = FakeVoice(voice.sound, costs=False, faults=[MediaError("lost")])
    editor = speaking(workspace, session, free)
    with pytest.raises(MediaError, match="lost"):
        await editor.speak(NEXT, "a text")
    await editor.speak(NEXT, "a text")


async def test_unusable_audio_is_blamed_on_the_voice(
    workspace: Workspace, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"speech\.unusable"):
        await speaking(workspace, session, FakeVoice(b"<html>")).speak(JOB, "a text")
    clips.make_silence(tmp_path / "silence.mp3")
    mute = FakeVoice((tmp_path / "silence.mp3").read_bytes())
    for _ in range(2):
        with pytest.raises(UserError, match=r"speech\.unusable"):
            await speaking(workspace, session, mute).speak("3" * 32, "a text")
    assert len(mute.spoken) == 1
    clips.make_tone(tmp_path / "long.mp3", seconds=40)
    long = FakeVoice((tmp_path / "long.mp3").read_bytes())
    with pytest.raises(UserError, match=r"speech\.too_long"):
        await speaking(workspace, session, long).speak(NEXT, "a text")


async def test_a_text_is_refused_without_a_voice(editor: NarrationEditor) -> None:
    with pytest.raises(UserError, match=r"speech\.off"):
        await editor.speak(JOB, "a text")


async def test_a_missing_narration_is_an_error(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    clips.make_clip((await workspace.create(JOB)).clip)
    with pytest.raises(MediaError, match="missing"):
        await editor.finish(JOB, narrated=True)


async def test_a_clip_that_plays_is_returned_unchanged(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    clip = clips.make_clip((await workspace.create(JOB)).clip)
    before = clip.read_bytes()
    video = await editor.finish(JOB, narrated=False)
    assert (video.path, video.note) == (clip, None)
    assert clip.read_bytes() == before


async def test_a_clip_whose_properties_are_known_is_not_read(
    editor: NarrationEditor, workspace: Workspace, tmp_path: Path
) -> None:
    info = read_mp4(clips.make_clip(tmp_path / "clip.mp4"))
    clip = (await workspace.create(JOB)).clip
    clip.write_bytes(b"unreadable")
    video = await editor.finish(JOB, narrated=False, clip_info=info)
    assert (video.path, video.frame) == (clip, (info.width, info.height))


async def test_a_clip_that_is_known_not_to_play_is_repaired(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    folder = await workspace.create(JOB)
    info = read_mp4(clips.make_clip(folder.clip, faststart=False))
    video = await editor.finish(JOB, narrated=False, clip_info=info)
    assert read_mp4(video.path).streamable


async def test_a_clip_that_does_not_play_is_repaired(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    folder = await workspace.create(JOB)
    clips.make_clip(folder.clip, faststart=False)
    video = await editor.finish(JOB, narrated=False)
    assert video.path == folder.result
    assert read_mp4(video.path).streamable


async def test_a_clip_that_was_already_moved_is_no_error(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    folder = await workspace.create(JOB)
    assert (await editor.finish(JOB, narrated=False)).path == folder.clip


async def test_a_smaller_copy_is_made_beside_the_original(
    editor: NarrationEditor, workspace: Workspace
) -> None:
    video = workspace.video(JOB)
    video.parent.mkdir(parents=True)
    clips.make_clip(video)
    before = video.read_bytes()
    await editor.shrink(JOB, limit_bytes=100_000, decent=True)
    copy = workspace.copy(JOB, decent=True)
    assert read_mp4(copy).seconds == pytest.approx(2, abs=0.1)
    assert copy.stat().st_size <= 100_000
    assert video.read_bytes() == before


async def test_concurrent_requests_for_a_copy_make_it_once(
    editor: NarrationEditor, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.media.render.shrink")
    video = workspace.video(JOB)
    video.parent.mkdir(parents=True)
    clips.make_clip(video)
    await asyncio.gather(
        *(editor.shrink(JOB, limit_bytes=limit, decent=True) for limit in (100_000, 110_000))
    )
    made = [r.getMessage() for r in caplog.records if r.getMessage().startswith("fit.done")]
    assert len(made) == 1
    assert workspace.copy(JOB, decent=True).stat().st_size <= 100_000


@pytest.mark.parametrize(("content", "limit"), [(b"no video", 5), (None, 1000)])
async def test_a_video_that_can_not_be_made_smaller_leaves_no_copy(
    editor: NarrationEditor, workspace: Workspace, content: bytes | None, limit: int
) -> None:
    video = workspace.video(JOB)
    video.parent.mkdir(parents=True)
    if content is None:
        clips.make_clip(video)
    else:
        video.write_bytes(content)
    await editor.shrink(JOB, limit_bytes=limit, decent=False)
    assert await workspace.copy_size(JOB, decent=False) is None
    assert list((workspace.folder(JOB).path.parents[1] / "scratch" / JOB).iterdir()) == []


async def test_a_lost_narration_is_ingested_again_from_the_jobs_own_kept_one(
    editor: NarrationEditor, workspace: Workspace, origin: str, tmp_path: Path
) -> None:
    await narrated(editor, workspace, origin, tmp_path / "attached")
    kept = workspace.narration(JOB).read_bytes()
    await workspace.delete_folder(JOB)
    for _ in range(2):  # a step is repeated after a crash
        await editor.ingest_kept(JOB, of=JOB)
    clips.make_clip(workspace.folder(JOB).clip, seconds=2)
    assert (await editor.finish(JOB, narrated=True)).note == NOTE_HELD_INSTEAD
    assert workspace.narration(JOB).read_bytes() == kept
