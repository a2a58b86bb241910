"""Reads the recipes in docs/backends.md, for tests and proofs."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "backends.md"


def blocks(kind: str) -> dict[str, str]:
    """Return the first code block of a kind ("ini", "yaml" ...) under each heading."""
    found: dict[str, str] = {}
    for section in re.split(r"(?m)^#+ ", PAGE.read_text(encoding="utf-8"))[1:]:
        heading, _, text = section.partition("\n")
        if block := re.search(rf"(?ms)^```{kind}\n(.*?)^```$", text):
            found[heading.strip()] = block[1]
    return found


def environment(heading: str) -> dict[str, str]:
    """Return the variables in a recipe's `.env`."""
    lines = (line for line in blocks("ini")[heading].splitlines() if line.strip())
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name: value for name, _, value in pairs}
