from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from simcord import Env

if TYPE_CHECKING:
    import simcord


@pytest.fixture
def simcord_env(simcord_env: simcord.Env, monkeypatch: pytest.MonkeyPatch) -> simcord.Env:
    """Have SimCord look ten times as often whether the bot has nothing left to do."""
    monkeypatch.setitem(vars(Env)["_settle_internal"].__kwdefaults__, "idle", 0.005)
    return simcord_env
