from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.desk import open_desk
from tests.support.schemas.discord_spec import check_all

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.support.desk import Desk


@pytest.fixture
def public_url() -> str:
    """Return the base URL of links; a test that needs links parametrizes it."""
    return ""


@pytest.fixture
async def desk(tmp_path: Path, public_url: str) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path, public_url=public_url) as opened:
        yield opened
        check_all(opened.fake_discord.history.requests)
