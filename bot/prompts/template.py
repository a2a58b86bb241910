"""A prompt writer that adds sentences from a template in the prompt's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.prompts.base import compose
from bot.prompts.reading import DetailKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.prompts.reading import Language, PromptReader, PromptReading

# The order of the added sentences. A style is never added, because the requester should choose it.
_ORDER = (DetailKind.SETTING, DetailKind.CAMERA, DetailKind.LIGHT, DetailKind.MOTION)


class TemplateWriter:
    """Adds sentences about details that a prompt doesn't name.

    A prompt is sent unchanged if it is already rich in details, or if there is no template in its
    language. The same words always get the same sentences. This writer needs no service.
    """

    name = "template"

    def __init__(self, reader: PromptReader) -> None:
        self._reader = reader

    def asks(self, words: str, room: int) -> bool:  # noqa: ARG002 - for no words
        """Return False, because this writer sends no requests."""
        return False

    async def write(self, words: str, *, room: int) -> str:
        """Return the requester's words, followed by as many sentences as fit.

        The result has at most `room` characters.
        """
        return compose(words, _additions(self._reader.read(words)), room=room)

    async def close(self) -> None:
        """Do nothing, because this writer has no connections."""


def _additions(reading: PromptReading) -> Iterator[str]:
    language = reading.language
    if language is None or reading.rich:
        return
    if reading.asks:
        yield _subject(language, reading.topic)
    sentences = language.question if reading.asks else language.scene
    yield from (sentences[kind] for kind in _ORDER if kind not in reading.named)


def _subject(language: Language, topic: str | None) -> str:
    if topic is None:
        return language.question["untitled"]
    return language.question["subject"].replace("{topic}", topic)
