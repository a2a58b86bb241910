"""Narrations that are encoded while their clip is made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.errors import UserError
from bot.jobs.editor import NarrationEditor
from bot.media.files.download import AttachmentFetcher
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from bot.model import JobState
from tests.support.fakes.orders import VOICE
from tests.support.media import clips
from tests.support.media.measurements import level, packets, sound_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.fakes.bench import Bench

JOB = "0" * 32
NEXT = "1" * 32


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "data")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


Make = Callable[..., NarrationEditor]


@pytest.fixture
def make(workspace: Workspace, session: aiohttp.ClientSession) -> Make:
    """Make an editor with these options, and an ffmpeg of its own."""

    def editor(binary: Path | None = None, **options: object) -> NarrationEditor:
        ffmpeg = Ffmpeg(binary or clips.binary(), slots=1)
        return NarrationEditor(
            ffmpeg,
            ffmpeg,
            AttachmentFetcher(session, hosts=frozenset(), max_bytes=1),
            workspace,
            options=NarrationOptions(**options),  # type: ignore[arg-type]
            max_seconds=60,
        )

    return editor


async def given(editor: NarrationEditor, workspace: Workspace, *, seconds: float = 2) -> None:
    """Ingest a narration, as the first step of a job does."""
    folder = await workspace.create(JOB)
    sound = clips.make_speech(folder.path / "voice.ogg", seconds=seconds)
    sound.rename(folder.attachment)
    await editor.ingest_given(JOB)


async def is_copied(editor: NarrationEditor, workspace: Workspace, job_id: str) -> bool:
    """Finish a job, and tell whether its sound was copied from the encoded narration."""
    folder = workspace.folder(job_id)
    clips.make_clip(folder.clip, seconds=4)
    video = await editor.finish(job_id, narrated=True)
    assert level(video.path, 0.1, 0.7) > -25
    assert sound_seconds(video.path) == pytest.approx(4, abs=0.03)
    if not folder.encoded_narration.exists():
        return False
    used, made = checksums(video.path), checksums(folder.encoded_narration)
    return used == made[: len(used)]


def checksums(path: Path) -> list[str]:
    return [line.split(",")[5] for line in packets(path, path.parent, "a:0")]


async def test_a_narration_that_was_encoded_ahead_is_copied_and_kept(
    make: Make, workspace: Workspace
) -> None:
    await given(make(), workspace)
    assert not workspace.encoded_narration(JOB).exists()
    await make().encode_ahead(JOB)
    kept = workspace.encoded_narration(JOB)
    assert kept.read_bytes() == workspace.folder(JOB).encoded_narration.read_bytes()
    assert await is_copied(make(), workspace, JOB)


async def test_the_next_job_takes_the_encoded_narration_over(
    make: Make, workspace: Workspace
) -> None:
    await given(make(), workspace)
    await make().encode_ahead(JOB)
    made = workspace.encoded_narration(JOB).stat()
    await make().ingest_kept(NEXT, of=JOB)
    await make().encode_ahead(NEXT)
    await workspace.delete_files(JOB)
    assert workspace.encoded_narration(NEXT).stat().st_ino == made.st_ino
    assert await is_copied(make(), workspace, NEXT)


async def test_an_encoded_narration_that_is_missing_or_damaged_is_made_anew(
    make: Make, workspace: Workspace
) -> None:
    await given(make(), workspace)
    await make().ingest_kept(NEXT, of=JOB)
    await make().encode_ahead(NEXT)
    kept = workspace.encoded_narration(NEXT)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-3000])
    await make().ingest_kept(JOB, of=NEXT)
    await make().encode_ahead(JOB)
    assert workspace.encoded_narration(JOB).read_bytes() == whole
    assert await is_copied(make(), workspace, JOB)


async def test_a_narration_from_before_a_crash_is_merged_without_its_encoded_form(
    make: Make, workspace: Workspace
) -> None:
    await given(make(), workspace)
    folder = workspace.folder(JOB)
    folder.encoded_narration.with_name("narration.m4a.part").write_bytes(b"the first half")
    clips.make_clip(folder.clip, seconds=4)
    video = await make().finish(JOB, narrated=True)
    assert level(video.path, 0.1, 0.7) > -25
    await make().encode_ahead(JOB)
    assert await is_copied(make(), workspace, JOB)


async def test_a_failure_is_logged_and_the_narration_is_merged_nevertheless(
    make: Make, workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *narration.m4a*) exit 1;; esac\nexec {clips.binary()} "$@"\n'
    )
    script.chmod(0o700)
    await given(make(), workspace)
    with caplog.at_level(logging.WARNING):
        await make(script).encode_ahead(JOB)
    assert "narration.not_encoded" in caplog.text
    assert not await is_copied(make(script), workspace, JOB)


async def test_a_job_that_has_ended_meanwhile_is_no_error(make: Make, workspace: Workspace) -> None:
    await given(make(), workspace)
    await workspace.delete_files(JOB)
    await make().encode_ahead(JOB)
    assert (await workspace.inventory()).kept == ()


@pytest.mark.parametrize(
    ("options", "seconds"),
    [({"mix": NarrationMix.DUCK}, 2), ({"fit": NarrationFit.TRIM}, 31)],
    ids=["lowers the clip's sound", "is trimmed"],
)
async def test_a_narration_that_the_merge_would_encode_anew_is_not_encoded_ahead(
    options: dict[str, object], seconds: float, make: Make, workspace: Workspace
) -> None:
    await given(make(**options), workspace, seconds=seconds)
    await make(**options).encode_ahead(JOB)
    assert not workspace.folder(JOB).encoded_narration.exists()
    assert not workspace.encoded_narration(JOB).exists()


async def test_a_short_narration_is_encoded_ahead_although_long_ones_are_trimmed(
    make: Make, workspace: Workspace
) -> None:
    trim = make(fit=NarrationFit.TRIM)
    await given(trim, workspace)
    await trim.encode_ahead(JOB)
    assert await is_copied(trim, workspace, JOB)


# The step of a job


async def test_the_order_does_not_wait_for_the_encoding(bench: Bench) -> None:
    seen: list[JobState] = []
    encode = bench.editor.encode_ahead

    async def encode_later(job_id: str) -> None:
        seen.append((await bench.now(job_id)).state)
        await encode(job_id)

    bench.editor.encode_ahead = encode_later
    job = await bench.submit(attachment=VOICE)
    await bench.step(job.id)
    assert seen == [JobState.QUEUED]
    assert bench.workspace.encoded_narration(job.id).exists()


async def test_a_job_without_a_narration_encodes_none(bench: Bench) -> None:
    bench.backend.finish()
    job = await bench.submit()
    await bench.run_out(job.id)
    assert not bench.workspace.encoded_narration(job.id).exists()


async def test_a_narration_that_is_merged_at_once_is_encoded_by_the_merge(bench: Bench) -> None:
    bench.backend.finish()
    first = await bench.run_out((await bench.submit()).id)
    job = await bench.submit(attachment=VOICE, clip_of=first.id)
    assert (await bench.run_out(job.id)).state is JobState.SUCCEEDED
    assert not bench.workspace.encoded_narration(job.id).exists()


async def test_a_refused_narration_leaves_no_encoded_form(bench: Bench) -> None:
    bench.editor.faults.append(UserError("audio.silent"))
    job = await bench.submit(attachment=VOICE)
    assert (await bench.run_out(job.id)).state is JobState.FAILED
    assert not bench.workspace.encoded_narration(job.id).exists()
