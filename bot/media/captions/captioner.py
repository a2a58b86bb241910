"""Makes the cues of a narration from its words, and the captions of a video from the cues."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from bot.media.captions.alignment import MIN_PAUSE, align
from bot.media.captions.cues import read_cues, without_gaps, write_cues
from bot.media.captions.sentences import split_sentences, split_to_fit, spoken_weight
from bot.media.captions.webvtt import webvtt
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.media.narration.pause import find_sounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.media.captions.cues import Cue
    from bot.media.narration.ingest import Narration


async def caption_narration(narration: Narration, text: str, cues_file: Path) -> None:
    """Write the cues of the narration of `text` to `cues_file`, unless the file exists.

    The file already exists if the voice knows the times of its words. Otherwise, the pauses of the
    narration show when each sentence is spoken.
    """
    if await asyncio.to_thread(read_cues, cues_file) is None:
        await run_uncancelled(_align, narration, text, cues_file)


async def write_captions(cues_file: Path, target: Path, *, seconds: float) -> bool:
    """Write the captions of a video to the WebVTT file `target`.

    `seconds`: the length of the video, whose narration starts with it.
    Returns False, and writes nothing, if the cues are not known.
    """
    return await run_uncancelled(_write, cues_file, target, seconds)


def _align(narration: Narration, text: str, cues_file: Path) -> None:
    sounds = find_sounds(narration.path, loudness=narration.loudness, min_pause=MIN_PAUSE)
    write_cues(cues_file, align(split_sentences(text), sounds))


def _write(cues_file: Path, target: Path, seconds: float) -> bool:
    cues = read_cues(cues_file)
    if not cues:
        return False
    shown = [part for cue in without_gaps(cues, seconds=seconds) for part in _fitting(cue)]
    part = part_of(target)
    part.write_text(webvtt(shown, seconds=seconds), encoding="utf-8")
    commit(part, target)
    return True


def _fitting(cue: Cue) -> Iterator[Cue]:
    """Split a cue into cues that fit on the picture, each for its share of the time."""
    parts = split_to_fit(cue.text)
    weights = [0.0, *accumulate(map(spoken_weight, parts))]
    scale = (cue.end - cue.start) / weights[-1] if parts else 0.0
    for part, (before, after) in zip(parts, pairwise(weights), strict=True):
        start, end = cue.start + scale * before, cue.start + scale * after
        yield replace(cue, start=start, end=end, text=part)
