from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.media.process.ffmpeg import Ffmpeg
from tests.support.media import clips, strace
from tests.support.media.cancelling import OPERATIONS, cancel_often
from tests.support.media.corpus import ATTACKS, CLIPS, SOUNDS, Sample
from tests.support.media.trial import prepare, run_trial

if TYPE_CHECKING:
    from pathlib import Path

FEW = {
    "voice-message.ogg",
    "cover.mp3",
    "7.1.wav",
    "cut.mp3",
    "blink.wav",
    "clipped.wav",
    "hls.mp3",
    "tag-then-concat.mp3",
    "encrypted.m4a",
    "60-tracks.mka",
    "two-sounds.mp4",
    "turned-90.mp4",
    "1x1.mp4",
    "no-frames.mp4",
    "fragments.mp4",
}
CHOSEN = [sample for sample in (*SOUNDS, *ATTACKS, *CLIPS) if sample.name in FEW]


@pytest.mark.parametrize(
    "line",
    [
        '7 openat(5, "../../etc/passwd", O_RDONLY) = 6',
        '7 openat(AT_FDCWD</work>, "/etc/passwd", O_RDONLY) = 6',
        '7 open("/proc/1/environ", O_RDONLY) = 6',
        '7 openat(AT_FDCWD, "../secret", O_RDONLY) = 6',
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 6",
    ],
)
def test_the_trace_reports_accesses_outside_the_workspace(line: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f'7 openat(AT_FDCWD, "clip.mp4", O_RDONLY) = 5\n{line}\n7 +++ exited +++\n')
    assert len(strace.foreign_accesses(log, binary=clips.binary(), workspace=tmp_path / "job")) == 1


@pytest.mark.parametrize("sample", CHOSEN, ids=[sample.name for sample in CHOSEN])
async def test_a_file_of_the_corpus_is_merged_or_refused(sample: Sample, tmp_path: Path) -> None:
    prepare(sample, tmp_path, is_clip=sample in CLIPS)
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    outcome = await run_trial(ffmpeg, sample, tmp_path, is_clip=sample in CLIPS)
    assert outcome.faults == []


@pytest.mark.skipif(not strace.is_installed(), reason="strace shows which files are opened")
async def test_ffmpeg_opens_nothing_outside_the_jobs_folder(tmp_path: Path) -> None:
    job, log = tmp_path / "job", tmp_path / "strace.log"
    job.mkdir()
    prepare(SOUNDS[0], job, is_clip=False)
    script = strace.write_traced_binary(clips.binary(), tmp_path / "ffmpeg", log)
    await run_trial(Ffmpeg(script, slots=1), SOUNDS[0], job, is_clip=False)
    assert strace.foreign_accesses(log, binary=clips.binary(), workspace=job) == []
    # The trace is not empty: for another workspace, the job's own files count as foreign.
    elsewhere = strace.foreign_accesses(
        log, binary=clips.binary(), workspace=tmp_path / "elsewhere"
    )
    assert any("attachment" in line for line in elsewhere)


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_cancelled_operation_leaves_no_child_and_no_file(name: str, tmp_path: Path) -> None:
    cancels = await cancel_often(name, tmp_path, times=3)
    assert cancels.left == set()
    assert cancels.cancelled
