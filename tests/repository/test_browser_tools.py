"""Tests that the browser proof finds Chromium, installs it, or tells the user to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browser.tools import MissingError, find_chromium, provide_chromium

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_an_existing_browser_is_not_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "chromium", "exit 1")
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/calls')
    provide_chromium()
    assert not (tmp_path / "calls").exists()
    assert find_chromium() == str(tmp_path / "chromium")


def test_the_browser_is_installed_for_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    program(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/calls')
    provide_chromium()
    assert (
        "install --quiet --yes --no-install-recommends chromium" in (tmp_path / "calls").read_text()
    )


@pytest.mark.parametrize("user", [0, 1000])
def test_a_browser_that_cannot_be_installed_is_requested_from_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: user)
    program(tmp_path, "apt-get", "echo 'E: no network' >&2; exit 100")
    with pytest.raises(MissingError, match="apt install chromium"):
        provide_chromium()
    with pytest.raises(MissingError, match="apt install chromium"):
        find_chromium()
