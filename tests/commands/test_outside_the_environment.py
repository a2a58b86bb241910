from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __version__

ROOT = Path(__file__).parents[2]


def run_without_libraries(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the bot in this folder by the base Python, which sees the standard library alone."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return subprocess.run(  # noqa: S603 - constant arguments
        [base, "-S", "-m", "bot", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_without_the_libraries_is_told_what_to_type() -> None:
    done = run_without_libraries(ROOT, "generate", "a cat")
    assert done.returncode == 2
    assert "`make .venv/run`" in done.stderr
    assert done.stderr.endswith(".venv/bin/python -m bot generate 'a cat'\n")
    assert "Traceback" not in done.stderr


def test_a_python_without_the_libraries_lists_the_commands_and_tells_the_version() -> None:
    assert "storyboard" in run_without_libraries(ROOT, "--help").stdout
    assert run_without_libraries(ROOT, "--version").stdout == f"Clapper {__version__}\n"


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("", "AttributeError: module 'bot.commands.doctor' has no attribute 'Doctor'"),
        ("from bot.nowhere import x", "ModuleNotFoundError: No module named 'bot.nowhere'"),
        ("import storage.nowhere", "ModuleNotFoundError: No module named 'storage'"),
        ("def (", "SyntaxError: invalid syntax"),
    ],
)
def test_a_bug_of_our_own_is_shown_as_one(tmp_path: Path, module: str, error: str) -> None:
    commands = tmp_path / "bot" / "commands"
    commands.mkdir(parents=True)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "bot" / name, tmp_path / "bot")
    (commands / "__init__.py").touch()
    (commands / "doctor.py").write_text(module, encoding="utf-8")
    done = run_without_libraries(tmp_path, "doctor")
    assert done.returncode == 1
    assert error in done.stderr
    assert "lacks the libraries" not in done.stderr
