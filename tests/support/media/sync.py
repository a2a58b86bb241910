"""A voice with clicks, the picture of a model that has heard the voice, and their distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.media import clips, measurements

if TYPE_CHECKING:
    from pathlib import Path

CLICKS = (0.5, 1.37, 2.613, 4.9)
CLIP_SECONDS = 8
#: A sound that arrives may be this much longer or shorter than the voice, in seconds.
MOST_DRIFT = 0.02
# The picture may be this far from the sound, in seconds. Half a frame of that is due to its rate.
_MOST_APART = 0.02 + 0.5 / 100


def make_voice(folder: Path, *, seconds: float) -> Path:
    """Make a voice that clicks at CLICKS."""
    return clips.make_clicks(folder / f"clicks-{seconds:g}.wav", at=CLICKS, seconds=seconds)


def make_heard_clip(folder: Path, mp3: bytes, *, seconds: float) -> Path:
    """Make the clip of a model that flashes at the clicks that it hears in a sound.

    `seconds`: the length that the sound has to have.
    """
    heard = folder / "heard.mp3"
    heard.write_bytes(mp3)
    assert measurements.sound_seconds(heard) == pytest.approx(seconds, abs=MOST_DRIFT)
    return clips.make_flashes(
        folder / "flashes.mp4", at=measurements.clicks(heard), seconds=CLIP_SECONDS
    )


def assert_in_sync(video: Path) -> None:
    """Assert that the flashes of a video are at its clicks, and these at the voice's own."""
    flashes, clicks = measurements.flashes(video), measurements.clicks(video)
    assert clicks == pytest.approx(CLICKS, abs=MOST_DRIFT)
    assert flashes == pytest.approx(clicks, abs=_MOST_APART)
