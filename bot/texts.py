"""Sentences: every one that a person reads, by key and language."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = "en"


class Texts:
    """The sentences of all languages in a folder of TOML files, one file a language."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str]]) -> None:
        self._sentences = sentences

    @classmethod
    def load(cls) -> Texts:
        """Read `bot/locales`."""
        folder = Path(__file__).parent / "locales"
        return cls({path.stem: _read(path) for path in sorted(folder.glob("*.toml"))})

    def __call__(self, key: str, locale: str = _DEFAULT, **fields: object) -> str:
        """Return a sentence in the nearest language that there is; KeyError: there is none."""
        language = locale.partition("-")[0]
        sentence = self._sentences.get(language, {}).get(key) or self._sentences[_DEFAULT][key]
        return sentence.format_map(fields)

    def keys(self, language: str = _DEFAULT) -> frozenset[str]:
        """Return all the keys of a language."""
        return frozenset(self._sentences[language])


def _read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return dict(_flat("", tomllib.load(file)))


def _flat(prefix: str, table: dict[str, object]) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            entries += _flat(f"{prefix}{key}.", cast("dict[str, object]", value))
        else:
            entries.append((prefix + key, str(value).strip()))
    return entries
