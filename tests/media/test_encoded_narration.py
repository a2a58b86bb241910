"""Narrations that are encoded before their clip is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import MediaError
from bot.media.files.atomic import part_of
from bot.media.narration.ingest import Narration, ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.encoded_narration import encode_narration, encoded_seconds
from bot.media.render.merge_narration import merge
from bot.media.render.narration_options import NarrationFit, NarrationMix, NarrationOptions
from tests.support.media import clips
from tests.support.media.measurements import level, packets, samples, sound_seconds
from tests.support.media.narrations import make_narration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPLACE = NarrationOptions()
LAST_PACKETS = 4 * 2 * 1024  # numbers of both channels: the end of a sound is encoded differently


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(clips.binary(), slots=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("encoded") / "clip.mp4", seconds=4)


async def ingested(ffmpeg: Ffmpeg, folder: Path, *, seconds: float = 2) -> Narration:
    sound = clips.make_speech(folder / "speech.ogg", seconds=seconds)
    return await make_narration(ffmpeg, sound, folder / "narration.wav")


async def is_copied(
    ffmpeg: Ffmpeg, clip: Path, narration: Narration, options: NarrationOptions = REPLACE
) -> bool:
    """Merge, and tell whether the result's sound is the beginning of the narration's M4A."""
    folder = narration.path.parent
    await merge(ffmpeg, clip, narration, folder / "result.mp4", options)
    kept, used = (checksums(path, folder) for path in (narration.encoded, folder / "result.mp4"))
    return used == kept[: len(used)]


def checksums(path: Path, folder: Path) -> list[str]:
    return [line.split(",")[5] for line in packets(path, folder, "a:0")]


@pytest.mark.parametrize("fit", NarrationFit)
@pytest.mark.parametrize("seconds", [1.3, 4, 6.7])
async def test_the_copied_sound_is_the_one_that_the_merge_would_have_encoded(
    seconds: float, fit: NarrationFit, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    narration = await ingested(ffmpeg, tmp_path, seconds=seconds)
    options = NarrationOptions(fit=fit)
    await merge(ffmpeg, clip, narration, tmp_path / "encoded.mp4", options)
    await encode_narration(ffmpeg, narration)
    await merge(ffmpeg, clip, narration, tmp_path / "copied.mp4", options)
    encoded, copied = (samples(tmp_path / f"{name}.mp4") for name in ("encoded", "copied"))
    assert len(copied) == len(encoded)
    assert copied[:-LAST_PACKETS] == encoded[:-LAST_PACKETS]
    assert max(copied[:-LAST_PACKETS]) > 1000


@pytest.mark.parametrize("seconds", [1.3, 4, 6.7])
async def test_a_narration_is_copied_into_a_clip_that_it_fits(
    seconds: float, ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    narration = await ingested(ffmpeg, tmp_path, seconds=seconds)
    await encode_narration(ffmpeg, narration)
    for fit in (NarrationFit.HOLD, NarrationFit.LOOP):
        assert await is_copied(ffmpeg, clip, narration, NarrationOptions(fit=fit))


async def test_a_clip_without_sound_gets_the_copied_voice_under_any_mix(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    silent = clips.make_clip(tmp_path / "clip.mp4", sound=False)
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    assert await is_copied(ffmpeg, silent, narration, NarrationOptions(mix=NarrationMix.DUCK))


async def test_the_own_sound_of_a_clip_is_lowered_in_a_new_encoding(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    duck = NarrationOptions(mix=NarrationMix.DUCK)
    assert not await is_copied(ffmpeg, clip, narration, duck)


async def test_a_fade_inside_the_clip_is_a_new_encoding(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    narration = await ingested(ffmpeg, tmp_path, seconds=6)
    await encode_narration(ffmpeg, narration)
    trim = NarrationOptions(fit=NarrationFit.TRIM)
    assert not await is_copied(ffmpeg, clip, narration, trim)


async def test_a_clip_that_lasts_longer_than_the_encoded_silence_has_sound_to_its_end(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    long = clips.make_clip(tmp_path / "clip.mp4", seconds=33, size="64x64")
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    assert not await is_copied(ffmpeg, long, narration)
    assert sound_seconds(tmp_path / "result.mp4") == pytest.approx(33, abs=0.03)


async def test_a_long_narration_is_followed_by_a_second_of_silence(
    ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    sound = clips.make_tone(tmp_path / "tone.wav", seconds=31)
    narration = await ingest(ffmpeg, sound, tmp_path / "narration.wav", max_seconds=60)
    await encode_narration(ffmpeg, narration)
    assert encoded_seconds(narration) == pytest.approx(32, abs=0.03)
    assert level(narration.encoded, 30.8, 0.15) > -25
    assert level(narration.encoded, 31.05, 0.9) < -70


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def without_its_media(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"mdat", b"free", 1))


def undecodable(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"zsds"))


def nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_off, without_its_media, undecodable, nothing])
async def test_a_damaged_encoding_is_replaced_by_a_new_one(
    damage: Callable[[Path], None], ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    damage(narration.encoded)
    await merge(ffmpeg, clip, narration, tmp_path / "result.mp4", REPLACE)
    assert level(tmp_path / "result.mp4", 0.1, 0.7) > -25
    assert sound_seconds(tmp_path / "result.mp4") == pytest.approx(4, abs=0.03)
    await encode_narration(ffmpeg, narration)
    assert await is_copied(ffmpeg, clip, narration)


async def test_the_encoding_of_another_narration_is_not_used(
    ffmpeg: Ffmpeg, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = await ingested(ffmpeg, tmp_path / "other", seconds=31)
    await encode_narration(ffmpeg, other)
    narration = await ingested(ffmpeg, tmp_path)
    narration.encoded.write_bytes(other.encoded.read_bytes())
    assert encoded_seconds(narration) == 0
    assert not await is_copied(ffmpeg, clip, narration)


async def test_a_failed_encoding_leaves_the_old_one_alone(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    before = narration.encoded.read_bytes()
    narration.path.unlink()
    with pytest.raises(MediaError):
        await encode_narration(ffmpeg, replace(narration, seconds=3))
    assert narration.encoded.read_bytes() == before
    assert not part_of(narration.encoded).exists()


@pytest.mark.parametrize("mix", NarrationMix)
async def test_ffmpeg_decodes_frames_of_the_clip_only_if_it_mixes_its_sound(
    mix: NarrationMix, clip: Path, tmp_path: Path
) -> None:
    script, log = tmp_path / "ffmpeg", tmp_path / "arguments"
    script.write_text(f'#!/bin/sh\necho "$*" > {log}\nexec {clips.binary()} "$@"\n')
    script.chmod(0o700)
    ffmpeg = Ffmpeg(script, slots=1)
    narration = await ingested(ffmpeg, tmp_path)
    await encode_narration(ffmpeg, narration)
    assert await is_copied(ffmpeg, clip, narration, NarrationOptions(mix=mix)) is (mix == "replace")
    unprobed = log.read_text().count("-nofind_stream_info")
    assert unprobed == (2 if mix is NarrationMix.REPLACE else 0)
