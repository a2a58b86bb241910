"""Finds misspelt and unknown names of settings. A setting with such a name has no effect."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_settings import DotEnvSettingsSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_settings import BaseSettings

# Most variables in the environment belong to other programs, so only names that are similar to a
# setting's name are reported.
_NEAR_MISS = 0.85
_FILE_CUTOFF = 0.6
# A secret that was pasted in place of a name does not match this pattern, so it is not printed.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
# A name with hyphens may be a secret, so it is only reported if it is very similar to a setting's
# name.
_HYPHENATED = re.compile(r"[a-z][a-z0-9_-]{0,49}")


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownName:
    """A name that is not the name of a setting.

    `meant`: the most similar name of a setting, or None if none is similar.
    """

    name: str
    meant: str | None
    in_file: bool

    @property
    def advice(self) -> str:
        """A question that proposes the similar setting, or a note that the name has no effect."""
        return f"did you mean {self.meant}?" if self.meant else "it has no effect"

    def __str__(self) -> str:
        """Return a sentence that says where the name was found and which setting may be meant."""
        place = ".env" if self.in_file else "the environment"
        return f"{self.name} in {place} is not a setting: {self.advice}"


def unknown_names(
    environment: Mapping[str, str], settings: type[BaseSettings]
) -> list[UnknownName]:
    """Return the unknown names in `.env` and the misspelt names in the environment.

    Raises UnicodeDecodeError if `.env` is not UTF-8 text.
    """
    known = {name.upper() for name in settings.model_fields}
    file = DotEnvSettingsSource(settings, env_ignore_empty=False).env_vars
    written = {name.upper() for name, value in file.items() if value is not None}
    found = [*_unknown(written - known, known, in_file=True)]
    others = {name.upper() for name in environment} - known - written
    return [*found, *_unknown(others, known, in_file=False)]


def _unknown(names: set[str], known: set[str], *, in_file: bool) -> Iterator[UnknownName]:
    for name in sorted(names):
        is_plain = _NAME.fullmatch(name.lower()) is not None
        if not is_plain and not _HYPHENATED.fullmatch(name.lower()):
            continue
        is_lenient = in_file and is_plain
        meant = _nearest(name, known, _FILE_CUTOFF if is_lenient else _NEAR_MISS)
        if meant or is_lenient:
            yield UnknownName(name=name, meant=meant, in_file=in_file)


def _nearest(name: str, known: set[str], cutoff: float) -> str | None:
    similar = difflib.get_close_matches(name.replace("-", "_"), sorted(known), n=1, cutoff=cutoff)
    return next(iter(similar), None)
