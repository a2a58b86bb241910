"""Installs the peers, each at a pinned version into its own folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[3] / ".venv-peers"
_WITHIN = 900.0


class CannotInstallError(Exception):
    """A peer can't be installed here; the message says why."""


def from_pypi(name: str, requirement: str, *, dependencies: tuple[str, ...] = ()) -> Path:
    """Install a package into its own virtual environment; return the folder of its programs.

    An installed package is kept. `dependencies` replace those that the package declares.
    """
    folder = FOLDER / name
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    if not _is_there(folder, requirement):
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(folder))
        pip = (str(programs / "python"), "-m", "pip", "install", "--quiet")
        if dependencies:
            run(*pip, *dependencies)
            run(*pip, "--no-deps", requirement)
        else:
            run(*pip, requirement)
        _mark_installed(folder, requirement)
    return programs


def from_npm(name: str, package: str, version: str, *, below: Path = FOLDER) -> Path:
    """Install a package without running its scripts; return its folder."""
    folder = below / name
    requirement = f"{package}@{version}"
    if not _is_there(folder, requirement):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ("--no-audit", "--no-fund", "--ignore-scripts")
        run(program("npm"), "install", "--prefix", str(folder), *options, requirement)
        _mark_installed(folder, requirement)
    return folder / "node_modules" / package


def program(name: str) -> str:
    """Return the path of a program that is installed on this machine."""
    path = shutil.which(name)
    if path is None:
        raise CannotInstallError(f"there is no {name} on this machine")
    return path


def _is_there(folder: Path, requirement: str) -> bool:
    marker = folder / "installed"
    return marker.is_file() and marker.read_text(encoding="utf-8") == requirement


def _mark_installed(folder: Path, requirement: str) -> None:
    (folder / "installed").write_text(requirement, encoding="utf-8")


def run(*command: str) -> None:
    """Run an installer; CannotInstallError: it failed, with its last line of output."""
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
