"""Captions of videos whose narration was spoken from a text, compared with the sound heard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest

from bot.jobs.editor import NarrationEditor
from bot.media.captions.cues import Cue, write_cues
from bot.media.files.workspace import Workspace
from bot.media.mp4.reader import read_mp4
from bot.media.narration.pause import find_sounds
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.model import JobState, text_attachment
from bot.speech.voices import Voices
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.orders import VOICE
from tests.support.media import clips
from tests.support.media.bursts import write_bursts

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.files.download import AttachmentFetcher
    from bot.model import Attachment
    from tests.support.fakes.bench import Bench

JOB, NEXT = "0" * 32, "1" * 32
TEXT = "The sea rises. Then, far out, a light appears! It goes out again. Who was it?"
FITS = [
    (8, NarrationFit.HOLD, NarrationMix.REPLACE),  # padded with silence
    (2, NarrationFit.HOLD, NarrationMix.REPLACE),
    (2, NarrationFit.LOOP, NarrationMix.REPLACE),
    (2, NarrationFit.TRIM, NarrationMix.REPLACE),
    (3, NarrationFit.LOOP, NarrationMix.DUCK),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "data")


def editor_of(
    workspace: Workspace, voice: FakeVoice, options: NarrationOptions | None = None
) -> NarrationEditor:
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    return NarrationEditor(
        ffmpeg,
        ffmpeg,
        cast("AttachmentFetcher", None),  # nothing is fetched
        workspace,
        options=options or NarrationOptions(),
        max_seconds=30,
        voices=Voices(voice),
    )


@pytest.fixture
def voice(tmp_path: Path) -> FakeVoice:
    sound, _ = write_bursts(tmp_path / "voice.wav", TEXT, seed=3)
    return FakeVoice(sound.read_bytes())


def heard(video: Path, wav: Path) -> list[tuple[float, float]]:
    """Return when the tones of the narration are heard, without the clip's own tone."""
    narration_only = ",".join(["bandpass=f=480:width_type=h:w=60"] * 3)
    clips.ffmpeg("-i", str(video), "-af", narration_only, "-ac", "2", "-ar", "48000", str(wav))
    return find_sounds(wav, loudness=-16, min_pause=0.05)


def shown(captions: Path) -> list[tuple[float, float]]:
    found = re.findall(r"(?m)^00:00:(\S+) --> 00:00:(\S+)$", captions.read_text(encoding="utf-8"))
    return [(float(start), float(end)) for start, end in found]


@pytest.mark.parametrize(("seconds", "fit", "mix"), FITS)
async def test_captions_fit_the_sound_that_is_heard_and_end_with_the_video(
    workspace: Workspace,
    voice: FakeVoice,
    tmp_path: Path,
    *,
    seconds: int,
    fit: NarrationFit,
    mix: NarrationMix,
) -> None:
    editor = editor_of(workspace, voice, NarrationOptions(fit=fit, mix=mix))
    await editor.speak(JOB, TEXT)
    await editor.encode_ahead(JOB)
    clips.make_clip(workspace.folder(JOB).clip, seconds=seconds)

    video = await editor.finish(JOB, narrated=True, text=TEXT)

    assert video.captions is not None
    times = shown(video.captions)
    starts = [start for start, _ in heard(video.path, tmp_path / "heard.wav")]
    for start, end in times:
        assert min(abs(start - at) for at in starts) < 0.1
        assert start < end
    assert times[-1][1] <= read_mp4(video.path).seconds + 0.01
    assert (len(times) == 4) is (fit is not NarrationFit.TRIM)


async def test_the_next_job_takes_over_the_times_with_the_narration(
    workspace: Workspace, voice: FakeVoice
) -> None:
    editor = editor_of(workspace, voice)
    folder = await workspace.create(JOB)
    # As a voice writes them that knows its times.
    write_cues(folder.cues, [Cue(start=0.25, end=1.5, text="The sea rises.")])
    await editor.speak(JOB, TEXT)
    await workspace.delete_folder(JOB)
    await editor.ingest_kept(NEXT, of=JOB)
    clips.make_clip(workspace.folder(NEXT).clip)
    video = await editor.finish(NEXT, narrated=True, text=TEXT)
    assert video.captions is not None
    assert shown(video.captions) == [(0.25, 2.0)]
    for job_id in (JOB, NEXT):
        await workspace.delete_files(job_id)
    assert not any(path.is_file() for path in workspace.narration(JOB).parent.iterdir())


async def test_a_narration_from_an_earlier_version_is_captioned_when_it_is_merged(
    workspace: Workspace, voice: FakeVoice
) -> None:
    editor = editor_of(workspace, voice)
    await editor.speak(JOB, TEXT)
    workspace.folder(JOB).cues.unlink()
    clips.make_clip(workspace.folder(JOB).clip)
    video = await editor.finish(JOB, narrated=True, text=TEXT)
    assert video.captions is not None
    assert len(shown(video.captions)) == 4


async def test_a_recording_of_unknown_words_has_no_captions(
    workspace: Workspace, voice: FakeVoice
) -> None:
    folder = await workspace.create(JOB)
    folder.attachment.write_bytes(voice.sound)
    editor = editor_of(workspace, voice)
    await editor.ingest_given(JOB)
    clips.make_clip(folder.clip)
    assert (await editor.finish(JOB, narrated=True)).captions is None


@pytest.mark.parametrize(
    ("attachment", "has_captions"), [(text_attachment(TEXT), True), (VOICE, False), (None, False)]
)
async def test_captions_are_kept_with_the_video_and_deleted_with_it(
    bench: Bench, *, attachment: Attachment | None, has_captions: bool
) -> None:
    bench.backend.finish()
    job = await bench.run_out((await bench.submit(attachment=attachment)).id)
    assert job.state is JobState.SUCCEEDED
    artifact = await bench.artifacts.get(job.id)
    assert artifact is not None
    assert artifact.has_captions is has_captions
    captions = await bench.workspace.fetch_captions(job.id)
    assert captions.exists() is has_captions
    recorded = {file.key for file in await bench.kept_files.all()}
    assert any(key.endswith(".vtt") for key in recorded) is has_captions
    assert await bench.retention.delete(job.id)
    assert not captions.exists()
    assert not await bench.kept_files.all()
