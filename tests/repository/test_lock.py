from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement

_LOCK = Path(__file__).parents[2] / "requirements-dev.lock"


def _pins() -> dict[str, set[str]]:
    """Return the pinned extras of each locked package."""
    lines = re.findall(
        r"^([\w.-]+)(?:\[([\w,-]+)\])?==", _LOCK.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {name: set(extras.split(",")) - {""} for name, extras in lines}


def test_extras_that_packages_require_are_pinned_because_older_pips_need_it_with_hashes() -> None:
    pins = _pins()
    asked: dict[str, set[str]] = {}
    for package in distributions():
        extras = pins.get(package.name.lower().replace("_", "-"))
        for line in package.requires or ():
            wanted = Requirement(line)
            applies = extras is not None and (
                wanted.marker is None
                or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            )
            if applies:
                asked.setdefault(wanted.name.lower(), set()).update(wanted.extras)

    assert asked["coverage"] == {"toml"}
    assert {name: extras for name, extras in asked.items() if extras - pins.get(name, set())} == {}
