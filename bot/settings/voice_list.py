"""Parses the setting that names a voice for each language."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from bot.settings.types import home_expanded, split_list

_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_MAX_CHARACTERS = 10_000


def voices_by_language(value: str) -> dict[str, str]:
    """Return the voices by the codes of their languages. An empty voice is the built-in one."""
    pairs = (part.partition("=") for part in split_list(value))
    return {code.strip(): home_expanded(voice.strip()) for code, _, voice in pairs}


def _check(value: str) -> str:
    parts = split_list(value)
    codes = [part.partition("=")[0].strip() for part in parts]
    if not all("=" in part for part in parts) or not all(map(_LANGUAGE.fullmatch, codes)):
        raise ValueError(
            "needs the codes of languages and their voices: write it like en=alloy,de=onyx"
        )
    if len(value) > _MAX_CHARACTERS or not value.isprintable():
        raise ValueError("must be one line of at most 10000 characters")
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ValueError(f"names {twice[0]} twice: keep one of its voices")
    voices_by_language(value)
    return value


LanguageVoices = Annotated[str, AfterValidator(_check)]
