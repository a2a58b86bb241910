"""Lets the real offline voice speak, and measures the narrations that our ingest makes of it.

`make proof-voice` runs it in an environment with only `requirements-voice.lock` installed.
"""

from __future__ import annotations

import asyncio
import re
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ffmpeg as graph

from bot.errors import UserError
from bot.media.captions.alignment import MIN_PAUSE, align
from bot.media.captions.cues import read_cues
from bot.media.captions.sentences import split_sentences
from bot.media.narration.ingest import ingest
from bot.media.narration.pause import find_sounds
from bot.media.process.child import ProcessLimits
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.runtime.adapters import open_voices
from bot.settings.fields import load_settings
from bot.speech.mp3 import write_mp3

if TYPE_CHECKING:
    from bot.media.narration.ingest import Narration
    from bot.speech.voices import Voices

_MAX_SECONDS = 600
_MAX_PIECE_ERROR, _MAX_SENTENCE_ERROR = 0.1, 0.5  # seconds
_SENTENCE = "Explain quantum computing: a qubit is both at once, until you look."
_STORY = (
    "The lighthouse has been dark for thirty years. Tonight, somebody climbs its stairs; "
    "slowly, with a lamp in one hand. Far out, a ship turns its bow towards the coast. "
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A text, and the least and most seconds of its speech; None: the text is refused."""

    name: str
    text: str
    seconds: tuple[float, float] | None


CASES = (
    Case(name="a word", text="Hello.", seconds=(0.3, 2)),
    Case(name="a sentence", text=_SENTENCE, seconds=(3, 8)),
    Case(name="1000 characters", text=(_STORY * 7)[:1000], seconds=(45, 110)),
    Case(name="no full stop", text=("word and another word " * 50)[:1000], seconds=(30, 110)),
    Case(name="looks like options", text="-f out.wav --debug", seconds=(0.5, 8)),
    Case(name="another script", text="量子力学を説明してください。", seconds=None),
    Case(name="another language", text="Wie entsteht ein Regenbogen?", seconds=None),
)


async def main() -> int:
    """Print a line for each text; exit code 1: a result is wrong."""
    ffmpeg = Ffmpeg(await find_ffmpeg(), slots=1)
    # English alone has a voice, so the detector of languages judges each text.
    settings = load_settings(
        narration_backend="piper", narration_voices="en=", max_audio_seconds=_MAX_SECONDS
    )
    voices = await open_voices(settings)
    assert voices is not None
    _say(
        f"{'text':20} {'took':>7} {'speech':>8} {'LUFS':>7} {'MP3':>7} {'silent':>7}  largest  "
        "captions: pieces, the latest, and by the pauses"
    )
    wrong = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            line, is_right = await _prove(case, voices, ffmpeg, Path(folder))
        _say(f"{case.name:20} {line}{'' if is_right else '   <- WRONG'}")
        wrong += not is_right
    _say(f"{len(CASES) - wrong} of {len(CASES)} are as they should be")
    return 1 if wrong else 0


async def _prove(case: Case, voices: Voices, ffmpeg: Ffmpeg, folder: Path) -> tuple[str, bool]:
    started = time.monotonic()
    try:
        voice = await voices.choose(case.text)
        await voice.speak(case.text, folder / "spoken")
    except UserError as error:
        return f"refused: {error.key}", case.seconds is None
    took = time.monotonic() - started
    spoken = await ingest(
        ffmpeg, folder / "spoken", folder / "spoken.wav", max_seconds=_MAX_SECONDS
    )
    await write_mp3(ffmpeg, spoken, folder / "narration.mp3")
    heard = await ingest(
        ffmpeg, folder / "narration.mp3", folder / "heard.wav", max_seconds=_MAX_SECONDS
    )
    silent = await _silence(ffmpeg, spoken)
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    line = (
        f"{took:6.1f}s {spoken.seconds:7.1f}s {_lufs(spoken):>7} {_lufs(heard):>7} "
        f"{silent:6.0%}  {mebibytes:.0f} MiB"
    )
    times = _measure_captions(case, spoken)
    return f"{line}  {times}", _is_right(case, spoken, heard, silent) and times.are_right


@dataclass(frozen=True, kw_only=True)
class _CaptionTimes:
    """The number of pieces, and the errors of their starts in seconds: at most, and by pauses."""

    pieces: int
    measured: float
    by_pauses: float

    @property
    def are_right(self) -> bool:
        return self.measured <= _MAX_PIECE_ERROR and self.by_pauses <= _MAX_SENTENCE_ERROR

    def __str__(self) -> str:
        return f"{self.pieces} {self.measured:.3f} s {self.by_pauses:.3f} s"


def _measure_captions(case: Case, spoken: Narration) -> _CaptionTimes:
    """Compare the cues that Piper's pieces gave with the sound that is heard after each begins.

    The sound is also aligned as if a server had sent it, and each sentence compared with its piece.
    """
    cues = read_cues(spoken.path.with_name("cues.json")) or []
    fine = find_sounds(spoken.path, loudness=spoken.loudness, min_pause=0.02)
    # A piece begins where its first sound begins, unless it follows the one before without a pause.
    measured = [
        min((start - cue.start for start, end in fine if end > cue.start), default=9.0)
        for cue in cues
    ]
    aligned = align(
        split_sentences(case.text),
        find_sounds(spoken.path, loudness=spoken.loudness, min_pause=MIN_PAUSE),
    )
    # A long sentence is spoken in several pieces, and begins with the first.
    starts = iter(cues)
    by_pauses = [
        abs(cue.start - piece.start)
        for cue in aligned
        if (piece := next((each for each in starts if cue.text.startswith(each.text)), None))
    ]
    return _CaptionTimes(
        pieces=len(cues),
        measured=max((max(error, 0.0) for error in measured), default=9.0),
        by_pauses=max(by_pauses, default=0.0),
    )


def _is_right(case: Case, spoken: Narration, heard: Narration, silent: float) -> bool:
    if case.seconds is None or spoken.loudness is None or heard.loudness is None:
        return False
    least, most = case.seconds
    # Speech has pauses, unlike a hum, and the ingested narration is as loud as any other.
    return (
        least <= spoken.seconds <= most
        and abs(heard.seconds - spoken.seconds) < 0.2  # a packet of MP3
        and -40 < spoken.loudness < -10  # LUFS
        and -18 < heard.loudness < -14  # LUFS
        and silent < 0.5  # half of it
        and not spoken.clipped
    )


async def _silence(ffmpeg: Ffmpeg, spoken: Narration) -> float:
    """Return the share of a narration that is in silences of 0.2 s or longer."""
    quiet = graph.input(f"file:{spoken.path}", format="wav")["a:0"].filter(
        "silencedetect", noise="-50dB", duration=0.2
    )
    arguments = ["-v", "info", *graph.output(quiet, "-", format="null").get_args()]
    stderr = await ffmpeg.run(arguments, cwd=spoken.path.parent, limits=ProcessLimits())
    return sum(map(float, re.findall(r"silence_duration: (\S+)", stderr))) / spoken.seconds


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _lufs(narration: Narration) -> str:
    return "silent" if narration.loudness is None else f"{narration.loudness:.1f}"


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
