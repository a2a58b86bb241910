"""The engine over HTTP with real ffmpeg: each clip is as long as its narration.

`make proof-length` does the same with more services and lengths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proofs.length.cases import prove
from tests.proofs.length.services import OFFERS

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_clip_that_arrives_is_as_long_as_the_voice_and_costs_as_much(
    tmp_path: Path,
) -> None:
    [offer] = [offer for offer in OFFERS if offer.name == "Videos API"]
    outcomes = [outcome async for outcome in prove(offer, 15, (8.4, 13.0), tmp_path)]
    assert [(each.ordered, round(each.standing, 1)) for each in outcomes] == [(8, 0.4), (12, 1.0)]
    assert [fault for outcome in outcomes for fault in outcome.faults()] == []
