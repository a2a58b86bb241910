"""Voices: chooses the voice for a text by the text's language."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.speech.languages.known import LANGUAGES, decides, script_of, written_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.speech.languages.detector import LanguageDetector
    from bot.speech.voice import Voice

# The minimum probability at which a text is refused because its language has no voice. Of 30 short
# sentences in languages with a voice, none reached it.
_FOREIGN = 0.7
# The minimum probability of the language that is chosen, and its minimum share of the summed
# probabilities of all candidates.
_LEAST, _SURE = 0.2, 0.7


class Voices:
    """The voice for all texts or, with `by_language`, a voice for each language.

    `default`: the voice for texts whose language is unknown. If it is None, such a text is read by
    the first voice in `by_language` whose language is written in the text's script.
    `by_language`: the voices, keyed by ISO 639-1 code. Texts in other languages are refused.
    """

    def __init__(
        self,
        default: Voice | None,
        by_language: Mapping[str, Voice] | None = None,
        detector: LanguageDetector | None = None,
    ) -> None:
        self._default = default
        self._by_language = by_language or {}
        self._detector = detector

    @property
    def all(self) -> Mapping[str, Voice]:
        """All voices by their languages. The language of the default voice is empty."""
        default = {} if self._default is None else {"": self._default}
        return {**self._by_language, **default}

    @property
    def costs(self) -> bool:
        """Whether reading a text may cost money."""
        return any(voice.costs for voice in self.all.values())

    @property
    def languages(self) -> str:
        """The names of the languages that have a voice, or "" if any text may be read aloud."""
        return ", ".join(LANGUAGES[code].name for code in self._by_language)

    async def load(self) -> None:
        """Load the language detector, if there is one, before the first text needs it."""
        if self._detector is not None:
            await asyncio.to_thread(self._detector.scores, "")

    async def choose(self, text: str, locale: str | None = None) -> Voice:
        """Return the voice for a text.

        `locale`: the person's language, as Discord names it. It is used if the text is ambiguous.
        Raises UserError if the text is in a language without a voice.
        """
        language = await self._language_of(text, (locale or "").partition("-")[0])
        voice = self._by_language.get(language) or self._default
        assert voice is not None  # noqa: S101 - without a default voice, there are languages
        return voice

    async def _language_of(self, text: str, locale: str) -> str:
        """Return the language of a text, or "" for the default voice."""
        script = script_of(text)
        candidates = written_in(script, tuple(self._by_language))
        if self._by_language and not candidates:
            raise self._refusal()
        if script is not None and candidates and not decides(script):
            candidates = await self._likely(text, candidates)
        if len(candidates) == 1:
            return candidates[0]
        if locale in candidates:
            return locale
        return candidates[0] if candidates and self._default is None else ""

    async def _likely(self, text: str, candidates: tuple[str, ...]) -> tuple[str, ...]:
        """Return only the most likely language, or all candidates if none is likely enough."""
        if self._detector is None:
            return candidates
        scores = await asyncio.to_thread(self._detector.scores, text)
        # Dialects, which are not in the table, are read by the voice of their language.
        known = {code: score for code, score in scores.items() if code in LANGUAGES}
        best = max(known, key=known.__getitem__, default="")
        if best not in candidates and known.get(best, 0) >= _FOREIGN:
            raise self._refusal()
        likely = max(candidates, key=lambda code: known.get(code, 0))
        score, total = (known.get(likely, 0), sum(known.get(code, 0) for code in candidates))
        return (likely,) if score >= _LEAST and score >= _SURE * total else candidates

    def _refusal(self) -> UserError:
        return UserError("speech.other_language", languages=self.languages)
