"""Reads the pages of the repository: their tables, code blocks, links and headings."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"(?ms)^```.*?^```$")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked_files() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("what is in git is only known in a checkout")
    listed = subprocess.run(  # noqa: S603 - constant arguments
        [git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).exists()]


def pages() -> list[str]:
    """Return every page of the repository."""
    return [
        str(path.relative_to(ROOT))
        for folder in (ROOT, ROOT / ".github", ROOT / "docs", ROOT / "tests")
        for path in sorted(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
    ]


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the only table whose first column has this heading."""
    (found,) = tables(page, heading)
    return found


def tables(page: str, heading: str) -> list[list[list[str]]]:
    """Return the rows of every table whose first column has this heading."""
    found: list[list[list[str]]] = []
    for part in re.split(rf"(?m)^(?=\| {re.escape(heading)} \|)", page)[1:]:
        _, _, *lines = part.splitlines()
        rows: list[list[str]] = []
        for line in lines:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        found.append(rows)
    return found


def block(page: str, after: str, fence: str = "```") -> list[str]:
    """Return the lines of the first code block that follows `after`."""
    _, _, rest = page.partition(after)
    return rest.partition(f"\n{fence}\n")[2].partition("\n```")[0].splitlines()


def unquoted(cell: str) -> str:
    return cell.replace("`", "")


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return _FENCED.sub("", text)


def links(text: str) -> list[str]:
    """Return the targets of the links and pictures of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#+ (.+)$", prose(text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w -]", "", words).strip().lower().replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
