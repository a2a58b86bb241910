from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.settings.fields import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
