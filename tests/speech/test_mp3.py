from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.media.narration.ingest import ingest
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.provenance import DigitalSource, xmp_packet
from bot.speech.mp3 import write_mp3
from tests.support.media import clips, measurements
from tests.support.media.marks import source_in

if TYPE_CHECKING:
    from pathlib import Path


async def test_speech_is_marked_as_made_by_a_model_and_can_be_attached_again(
    tmp_path: Path,
) -> None:
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    speech = clips.make_speech(tmp_path / "speech.wav", seconds=2)
    spoken = await ingest(ffmpeg, speech, tmp_path / "narration.wav", max_seconds=30)
    mp3 = tmp_path / "narration.mp3"
    await write_mp3(ffmpeg, spoken, mp3)
    frame = private_frame(mp3, b"XMP")
    assert source_in(frame).endswith("/trainedAlgorithmicMedia")
    assert frame.decode() == xmp_packet(DigitalSource.MODEL)
    attached = await ingest(ffmpeg, mp3, tmp_path / "again.wav", max_seconds=30)
    assert attached.seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("seconds", [0.4, 3.0, 8.37])
async def test_the_sound_for_a_service_is_as_long_as_the_voice_and_says_nothing_of_a_model(
    seconds: float, tmp_path: Path
) -> None:
    ffmpeg = Ffmpeg(clips.binary(), slots=1)
    speech = clips.make_speech(tmp_path / "speech.wav", seconds=seconds)
    voice = await ingest(ffmpeg, speech, tmp_path / "narration.wav", max_seconds=30)
    first, second = tmp_path / "voice.mp3", tmp_path / "again.mp3"
    for target in (first, second):
        await write_mp3(ffmpeg, voice, target, is_spoken=False)
    assert measurements.sound_seconds(first) == pytest.approx(voice.seconds, abs=0.02)
    assert first.read_bytes() == second.read_bytes()
    assert b"PRIV" not in first.read_bytes()


def private_frame(mp3: Path, owner: bytes) -> bytes:
    """Return what an ID3 tag of version 2.4 has in the private frame of an owner."""
    content = mp3.read_bytes()
    assert content[:4] == b"ID3\x04"
    at = content.index(b"PRIV")
    size = int.from_bytes(content[at + 4 : at + 8], "big")
    # The size has seven bits in each byte.
    size = sum((size >> 8 * place & 0x7F) << 7 * place for place in range(4))
    found, _, private = content[at + 10 : at + 10 + size].partition(b"\0")
    assert found == owner
    return private
