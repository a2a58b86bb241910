"""Finds or installs the tools of the browser proof: Chromium and the accessibility checker axe.

Playwright itself is pinned in requirements-browser.lock.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.proofs.peers.installing import CannotInstallError, from_npm, run

_FOLDER = Path(__file__).parents[3] / ".venv-proofs"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MISSING = "No Chromium: install one (Debian: apt install chromium)."
_AXE = "4.14.1"
_NO_AXE = "npm could not install axe-core {version}: {reason}."


class MissingError(Exception):
    """A tool that a proof needs is missing and can't be installed."""


def find_chromium() -> str:
    """Return the path of the machine's Chromium; MissingError: there is none."""
    binary = next(filter(None, map(shutil.which, _NAMES)), None)
    if binary is None:
        raise MissingError(_MISSING)
    return binary


def provide_chromium() -> None:
    """Install Debian's Chromium if there is none; MissingError: that is not possible here."""
    if any(map(shutil.which, _NAMES)):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(_MISSING)
    try:
        run("apt-get", "update", "--quiet")
        run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "chromium")
    except CannotInstallError as error:
        raise MissingError(f"{_MISSING} Installing it failed: {error}.") from error


def provide_axe() -> str:
    """Install axe-core into .venv-proofs, and return its script; MissingError: that failed."""
    try:
        package = from_npm("axe", "axe-core", _AXE, below=_FOLDER)
    except CannotInstallError as error:
        raise MissingError(_NO_AXE.format(version=_AXE, reason=error)) from error
    return (package / "axe.min.js").read_text(encoding="utf-8")
