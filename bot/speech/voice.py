"""The protocol for voices, and the functions that call them safely."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from bot.errors import UserError
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.presets import check_characters, is_visible

if TYPE_CHECKING:
    from pathlib import Path

MAX_TEXT = 1000
#: The errors after which the voice may have charged for the text. After other errors, it has not
#: charged.
MAYBE_CHARGED = frozenset({"speech.unsure", "speech.unusable", "speech.too_long"})


class Voice(Protocol):
    """Reads texts of at most `MAX_TEXT` characters aloud.

    `costs`: whether reading a text may cost money.
    """

    name: str
    costs: bool

    async def speak(self, text: str, target: Path) -> None:
        """Read a text aloud into the file `target`, which appears only once it is complete.

        Raises UserError, with a key that begins with `speech.`, if the text can't be read aloud.
        Raises MediaError if a retry may succeed.
        """
        ...


async def speak_once(voice: Voice, text: str, target: Path) -> None:
    """Read a text aloud into `target` unless that file exists. Never repeats a paid attempt.

    Raises UserError if the text can't be read aloud. The error's key is `speech.unsure` if an
    earlier attempt may have been charged. Raises MediaError if a retry may succeed.
    """
    if await asyncio.to_thread(target.exists):
        return
    if voice.costs:
        # The attempt is recorded before the request, so that a retry after a crash doesn't pay
        # again.
        await run_uncancelled(_mark_paid_try, _mark_of(target))
    await voice.speak(text, target)


def was_asked(target: Path) -> bool:
    """Return whether `speak_once` has asked a voice for `target`. Blocks the thread."""
    return target.exists() or _mark_of(target).exists()


def checked_text(text: str) -> str:
    """Return a text without extra whitespace.

    Raises UserError if the text contains nothing to read aloud, is too long, or is invalid.
    """
    check_characters(text)
    text = "\n".join(line for part in text.splitlines() if (line := " ".join(part.split())))
    if not any(char.isalnum() and is_visible(char) for char in text):
        raise UserError("speech.empty")
    if len(text) > MAX_TEXT:
        raise UserError("speech.too_much", limit=MAX_TEXT)
    return text


def as_speech_error(error: UserError) -> UserError:
    """Convert an error about an audio file to one about the voice that has made the file."""
    if error.key in {"audio.too_long", "audio.over_limit"}:
        return UserError("speech.too_long", **error.fields)
    return UserError("speech.unusable") if error.key.startswith("audio.") else error


def _mark_of(target: Path) -> Path:
    return target.with_name("asked")


def _mark_paid_try(asked: Path) -> None:
    if asked.exists():
        raise UserError("speech.unsure")
    part_of(asked).touch()
    commit(part_of(asked), asked)
