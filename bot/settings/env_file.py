"""Finds lines in `.env` that are not NAME=value, and quoted values in the environment.

python-dotenv silently skips a line that it can't parse, and accepts a name without a value. In both
cases, the setting silently keeps its default. Docker's `--env-file` keeps quotation marks as part
of a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from dotenv.parser import Binding

_YAML = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*:")
_SHELL = re.compile(r"\s*(?:set|setx|\$env:)\s*([A-Za-z_]\w*)", re.IGNORECASE)
_NO_NAME = re.compile(r"[:$\s]")
_UNCLOSED = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(['\"])")
_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)
_TYPOGRAPHIC = tuple("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb")


def odd_lines(path: Path, names: Collection[str]) -> list[str]:
    """Describe each line of the file that is not `NAME=value`.

    The descriptions never contain values, which may be secret. A line with only a name is reported
    if the name is in `names`, which contains the names of settings. Other such lines may be meant
    for other programs.

    Raises UnicodeDecodeError if the file is not UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return list(_complaints(parse_stream(file), path.name, names))
    except OSError:
        return []  # the file is optional, since the environment may contain all settings


def _complaints(bindings: Iterable[Binding], name: str, names: Collection[str]) -> Iterable[str]:
    for binding in bindings:
        first = binding.original.string.lstrip("\r\n")
        line = binding.original.line + binding.original.string[: -len(first)].count("\n")
        if binding.error or _NO_NAME.search(binding.key or ""):
            yield f"{name}, line {line}: {_advice(first)}"
        elif binding.value is None and (binding.key or "").lower() in names:
            yield f"{name}, line {line}: write {binding.key}=value."
        elif (binding.value or "").startswith(_TYPOGRAPHIC):
            yield f"{name}, line {line}: use straight quotation marks, or none."


def _advice(text: str) -> str:
    first, _, more = text.partition("\n")
    if match := _YAML.match(first):
        return f"write {match[1]}=value, with = instead of a colon."
    if match := _SHELL.match(first):
        return f"write {match[1]}=value, without a command before it."
    if (match := _UNCLOSED.match(first)) and (more or first.count(match[2]) == 1):
        return f"the value of {match[1]} has no closing quotation mark."
    return "it is not of the form NAME=value."


def quoted_values(environment: Mapping[str, str], names: Collection[str]) -> list[str]:
    """Return a sentence about each setting in `names` whose value is in quotation marks."""
    return [
        f"{name}: its value is in quotation marks, which Docker's --env-file keeps; remove them."
        for name, value in environment.items()
        if name.lower() in names and len(value) > 1 and _QUOTED.fullmatch(value)
    ]
