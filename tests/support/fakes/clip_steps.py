"""Assembles the steps that fetch a clip and make the finished video from it, as in the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.jobs.downloading import Downloading
from bot.jobs.merging import Merging
from bot.jobs.remote.fresh_values import FreshValues
from bot.media.files.shared_work import SharedWork
from bot.media.mp4.reader import VideoInfo

if TYPE_CHECKING:
    from tests.support.fakes.bench import Bench


def clip_steps(bench: Bench, *, max_bytes: int) -> tuple[Downloading, Merging]:
    shared = bench.shared or SharedWork(bench.workspace)
    fresh_clips = FreshValues[VideoInfo](bench.clock.steady)
    downloading = Downloading(
        jobs=bench.jobs,
        backend=bench.backend,
        workspace=bench.workspace,
        shared=shared,
        identity=bench.identity,
        fresh_answers=bench.fresh_answers,
        fresh_clips=fresh_clips,
        max_bytes=max_bytes,
    )
    merging = Merging(
        jobs=bench.jobs,
        artifacts=bench.artifacts,
        workspace=bench.workspace,
        shared=shared,
        editor=bench.editor,
        downloading=downloading,
        fresh_clips=fresh_clips,
        clock=bench.clock,
    )
    return downloading, merging
