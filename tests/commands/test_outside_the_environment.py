from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_python_without_the_libraries_is_told_what_to_type() -> None:
    # Without `site`, the base Python sees the standard library alone.
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    done = subprocess.run(  # noqa: S603 - constant arguments
        [base, "-S", "-m", "bot", "generate", "a cat"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "`make .venv/run`" in done.stderr
    assert done.stderr.endswith(".venv/bin/python -m bot generate 'a cat'\n")
    assert "Traceback" not in done.stderr
