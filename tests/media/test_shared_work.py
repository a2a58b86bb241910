"""Files that one process leaves in the store for the step of another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError, UserError
from bot.jobs.editor import NarrationEditor
from bot.jobs.guiding.sounds import NarrationSounds
from bot.media.files.download import AttachmentFetcher
from bot.media.files.shared_work import SharedWork
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationOptions
from bot.model import JobState
from bot.speech.voices import Voices
from tests.support.fakes.media import FakeVoice
from tests.support.fakes.remote_store import RemoteStore
from tests.support.jobs import job as made_up_job
from tests.support.media import clips

if TYPE_CHECKING:
    from pathlib import Path

JOB = "0123456789abcdef" * 2


class Machine:
    """A process with its own folder, and the store that all share."""

    def __init__(self, root: Path, store: RemoteStore | None, voice: FakeVoice) -> None:
        shared_store = store or RemoteStore()
        self.workspace = Workspace(root, shared_store)
        self.shared = SharedWork(self.workspace, store)
        ffmpeg = Ffmpeg(clips.binary(), slots=1)
        self.editor = NarrationEditor(
            ffmpeg,
            ffmpeg,
            AttachmentFetcher(None, hosts=frozenset(), max_bytes=1),  # type: ignore[arg-type]
            self.workspace,
            options=NarrationOptions(),
            max_seconds=60,
            voices=Voices(voice),
            shared=self.shared,
        )


@pytest.fixture
def voice(tmp_path: Path) -> FakeVoice:
    return FakeVoice(clips.make_speech(tmp_path / "voice.wav", seconds=1).read_bytes())


async def test_a_clip_is_continued_on_another_machine_until_it_is_forgotten(
    tmp_path: Path, voice: FakeVoice
) -> None:
    store = RemoteStore()
    one, other = (Machine(tmp_path / name, store, voice) for name in ("one", "other"))
    clip = (await one.workspace.create(JOB)).clip
    clip.write_bytes(b"the clip")
    assert not await other.shared.fetch_clip(JOB)
    await one.shared.offer_clip(JOB)
    assert clip.read_bytes() == b"the clip"
    assert await other.shared.fetch_clip(JOB)
    assert other.workspace.folder(JOB).clip.read_bytes() == b"the clip"
    await other.shared.forget(JOB)
    assert store.files == {}
    assert not other.workspace.folder(JOB).path.exists()


async def test_an_uploaded_narration_is_taken_in_on_another_machine(
    tmp_path: Path, voice: FakeVoice
) -> None:
    store = RemoteStore()
    desk, worker = (Machine(tmp_path / name, store, voice) for name in ("desk", "worker"))
    attachment = (await desk.workspace.create(JOB)).attachment
    attachment.write_bytes(voice.sound)
    with pytest.raises(UserError, match=r"audio\.not_kept"):
        await worker.editor.ingest_given(JOB)
    await desk.shared.offer_attachment(JOB)
    await worker.editor.ingest_given(JOB)
    assert worker.workspace.folder(JOB).narration.exists()
    await desk.shared.withdraw_attachment(JOB)
    assert store.files == {}


async def test_a_paid_voice_is_asked_by_one_machine_alone(tmp_path: Path, voice: FakeVoice) -> None:
    store = RemoteStore()
    one, other = (Machine(tmp_path / name, store, voice) for name in ("one", "other"))
    await one.editor.speak(JOB, "Hello")
    await other.editor.speak(JOB, "Hello")
    assert voice.spoken == ["Hello"]
    assert other.workspace.folder(JOB).narration.exists()


async def test_machines_that_begin_to_ask_at_the_same_time_ask_once(
    tmp_path: Path, voice: FakeVoice
) -> None:
    store = RemoteStore()
    machines = [Machine(tmp_path / name, store, voice) for name in ("one", "two", "three")]
    begun = await asyncio.gather(*(each.shared.begin_asking(JOB) for each in machines))
    assert begun.count(True) == 1


async def test_a_speech_that_was_lost_with_its_machine_is_not_paid_again(
    tmp_path: Path, voice: FakeVoice
) -> None:
    store = RemoteStore()
    lost, other = (Machine(tmp_path / name, store, voice) for name in ("lost", "other"))
    assert await lost.shared.begin_asking(JOB)
    with pytest.raises(UserError, match=r"speech\.unsure"):
        await other.editor.speak(JOB, "Hello")
    assert voice.spoken == []


async def test_a_narration_that_goes_along_with_an_order_is_restored_on_another_machine(
    tmp_path: Path, voice: FakeVoice
) -> None:
    store = RemoteStore()
    one, other = (Machine(tmp_path / name, store, voice) for name in ("one", "other"))
    await one.editor.speak(JOB, "Hello")

    async def restore(job_id: str) -> None:
        await other.editor.ingest_kept(job_id, of=job_id)

    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    job = made_up_job(JobState.QUEUED, id=JOB)
    with pytest.raises(MediaError, match="missing"):
        await NarrationSounds(ffmpeg, other.workspace).encode(job)
    encoded = await NarrationSounds(ffmpeg, other.workspace, restore).encode(job)
    assert encoded.path == other.workspace.folder(JOB).voice
    assert encoded.size


async def test_a_process_that_does_everything_leaves_nothing(
    tmp_path: Path, voice: FakeVoice
) -> None:
    alone = Machine(tmp_path, None, voice)
    assert not alone.shared.is_on
    folder = await alone.workspace.create(JOB)
    folder.clip.write_bytes(b"the clip")
    folder.attachment.write_bytes(voice.sound)
    await alone.shared.offer_clip(JOB)
    await alone.shared.offer_attachment(JOB)
    assert not await alone.shared.fetch_clip(JOB)
    assert await alone.shared.begin_asking(JOB)
    await alone.shared.forget(JOB)
    assert sorted(path.name for path in folder.path.iterdir()) == ["attachment", "clip.mp4"]
