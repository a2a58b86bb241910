"""Where the peers are installed: each in a folder of its own, at a pinned version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv-peers"
_WITHIN = 900.0


class CannotInstallError(Exception):
    """A peer is not to be had here; the message says why."""


def from_pypi(name: str, requirement: str, *, instead_of_its_own: tuple[str, ...] = ()) -> Path:
    """Install into a virtual environment, unless it is there; return its folder of programs.

    `instead_of_its_own` are requirements to install in place of what the package asks for.
    """
    folder = FOLDER / name
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    if not _is_there(folder, requirement):
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(folder))
        pip = (str(programs / "python"), "-m", "pip", "install", "--quiet")
        if instead_of_its_own:
            run(*pip, *instead_of_its_own)
        run(*pip, *(("--no-deps",) if instead_of_its_own else ()), requirement)
        _note(folder, requirement)
    return programs


def from_npm(name: str, package: str, version: str, *, below: Path = FOLDER) -> Path:
    """Install without running any script of the package; return the package's folder."""
    folder = below / name
    requirement = f"{package}@{version}"
    if not _is_there(folder, requirement):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ("--no-audit", "--no-fund", "--ignore-scripts")
        run(program("npm"), "install", "--prefix", str(folder), *options, requirement)
        _note(folder, requirement)
    return folder / "node_modules" / package


def program(name: str) -> str:
    """Return the path of a program of this machine."""
    path = shutil.which(name)
    if path is None:
        raise CannotInstallError(f"there is no {name} on this machine")
    return path


def _is_there(folder: Path, requirement: str) -> bool:
    note = folder / "installed"
    return note.is_file() and note.read_text(encoding="utf-8") == requirement


def _note(folder: Path, requirement: str) -> None:
    (folder / "installed").write_text(requirement, encoding="utf-8")


def run(*command: str) -> None:
    """Run an installer; CannotInstallError: it failed, and its last line says why."""
    words = [Path(command[0]).name, *command[1:]]
    sys.stdout.write(f"$ {' '.join(words)}\n")
    sys.stdout.flush()
    try:
        done = subprocess.run(  # noqa: S603 - the commands are our own
            command, capture_output=True, timeout=_WITHIN, check=False, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstallError(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise CannotInstallError(said[-1] if said else f"exit code {done.returncode}")
