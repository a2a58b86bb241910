"""The protocol for voices, and the checks around them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from bot.errors import UserError
from bot.media.files.atomic import commit, part_of, run_uncancelled
from bot.presets import check_characters, is_visible

if TYPE_CHECKING:
    from pathlib import Path

MAX_TEXT = 1000
#: The errors after which the voice may have charged for the text. After others it has not.
MAYBE_CHARGED = frozenset({"speech.unsure", "speech.unusable", "speech.too_long"})


class Voice(Protocol):
    """Reads texts of at most MAX_TEXT characters aloud.

    `costs`: whether each text may be charged.
    """

    name: str
    costs: bool

    async def speak(self, text: str, target: Path) -> None:
        """Read a text aloud into the file `target`, which is written completely or not at all.

        UserError: the text can't be read aloud; the error's key begins with `speech.`. MediaError:
        a retry may work.
        """
        ...


async def speak_once(voice: Voice, text: str, target: Path) -> None:
    """Read a text aloud unless `target` exists. Each folder allows only one paid attempt.

    UserError: the text can't be read aloud; `speech.unsure`: an earlier attempt may have been
    charged. MediaError: a retry may work.
    """
    if await asyncio.to_thread(target.exists):
        return
    if voice.costs:
        # The attempt is marked before the request, so that a retry after a crash does not pay
        # again.
        await run_uncancelled(_mark_paid_try, target.with_name("asked"))
    await voice.speak(text, target)


def checked_text(text: str) -> str:
    """Return the text without extra whitespace.

    UserError: it has nothing to read aloud, or it is too long or invalid.
    """
    check_characters(text)
    text = "\n".join(line for part in text.splitlines() if (line := " ".join(part.split())))
    if not any(char.isalnum() and is_visible(char) for char in text):
        raise UserError("speech.empty")
    if len(text) > MAX_TEXT:
        raise UserError("speech.too_much", limit=MAX_TEXT)
    return text


def as_speech_error(error: UserError) -> UserError:
    """Translate an error in ingesting synthesised speech into an error of the voice."""
    if error.key in {"audio.too_long", "audio.over_limit"}:
        return UserError("speech.too_long", **error.fields)
    return UserError("speech.unusable") if error.key.startswith("audio.") else error


def _mark_paid_try(asked: Path) -> None:
    if asked.exists():
        raise UserError("speech.unsure")
    part_of(asked).touch()
    commit(part_of(asked), asked)
