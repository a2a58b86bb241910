from __future__ import annotations

import pytest

from bot.texts import Texts


@pytest.fixture(scope="session")
def sentences() -> frozenset[str]:
    """Return the keys of all sentences that people read."""
    return Texts.load().keys()
