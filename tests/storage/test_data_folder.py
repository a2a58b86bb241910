"""Tests the folder of all data, which exists whatever the database is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import StartupError
from storage.files.data_folder import DataInUseError, exclusive, make_data_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_is_private_and_has_no_lock_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    for _ in range(2):  # the second time, it exists
        make_data_folder(data)
    for folder in (tmp_path / "new", data):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(data.iterdir()) == []


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_data_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_where_the_folder_should_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartupError, match=r"DATA_DIR: .* is not writable"):
        make_data_folder(tmp_path / "data")


def test_a_locked_folder_can_be_made_but_not_locked(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        make_data_folder(tmp_path)
        with pytest.raises(DataInUseError), exclusive(tmp_path):
            pass
    with exclusive(tmp_path):
        pass
