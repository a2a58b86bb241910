from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from bot.model import Caps
from tests.fakes import open_bench
from tests.site import FORM, TOKEN, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes import Clock

DAY = 24 * 60 * 60


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", r"There is room again on (\S+) at (\S+) UTC\.$"),
        ("de", r"Platz ist wieder am (\S+) um (\S+) UTC\.$"),
        ("ja", r"次に空くのはUTCで(\S+) (\S+)です。$"),
    ],
)
async def test_the_days_cap_says_in_words_and_in_a_header_when_there_is_room_again(
    tmp_path: Path, clock: Clock, language: str, sentence: str
) -> None:
    caps = Caps(open_per_user=5, open_in_all=5, per_day=1)
    async with open_bench(tmp_path, clock, caps=caps) as bench, open_site(bench) as caller:
        await caller.order()
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": language}
        async with caller.http.post("/api/generate", json=FORM, headers=headers) as response:
            message = (await response.json())["error"]["message"]
            later = parsedate_to_datetime(response.headers["Retry-After"])
        assert response.status == 429

        # What the header says is exact; the sentence may be part of a minute late.
        assert 0 < later.timestamp() - clock() - DAY <= 1
        said = re.search(sentence, message)
        assert said is not None, message
        until = datetime.fromisoformat(f"{said[1]}T{said[2]}").replace(tzinfo=UTC)
        assert 0 <= (until - later).total_seconds() < 60
        clock.advance(later.timestamp() - clock())
        await caller.order()
