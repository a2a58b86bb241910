from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each of them costs a tenth of a second of CPU or more.
HEAVY = {"aiohttp", "asyncio", "discord", "httpx2", "openai", "pydantic", "sqlite3", "ssl"}


def imported_by(code: str) -> set[str]:
    """Return the top-level modules that a new Python has imported after `code`."""
    listing = (
        "import sys\nprint(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603 - the code is the test's own
        [sys.executable, "-c", f"{code}\n{listing}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_version_and_the_help_import_nothing_heavy(option: str) -> None:
    code = f"import bot.__main__\ntry: bot.__main__.main([{option!r}])\nexcept SystemExit: pass"
    assert imported_by(code) & HEAVY == set()
