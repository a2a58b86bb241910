"""Orders videos for voices of five lengths from every service, and measures what is delivered.

`make proof-length` runs it, and it takes some minutes. The bot's engine and its adapters order over
HTTP, and ffmpeg lays the voices over the clips.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.proofs.length.cases import Outcome, prove
from tests.proofs.length.services import OFFERS

_LONGEST = (8, 15, 30)
_VOICES = (3.0, 8.4, 13.0, 31.0, 300.0)
# Only the services that make clips of half a minute get the second voice.
_HALF_A_MINUTE = 30


async def main() -> int:
    """Print a line for each case; exit code 1: a rule is broken."""
    _say(
        f"{'service':25} {'MAX':>4} {'voice':>6} {'ordered':>8} {'reserved':>9} {'settled':>8} "
        f"{'delivered':>9} {'standing':>9}"
    )
    outcomes = list[Outcome]()
    with tempfile.TemporaryDirectory() as folder:
        for offer in OFFERS:
            for most in _LONGEST:
                is_whole = most in offer.lengths and most == _HALF_A_MINUTE
                voices = sorted({*_VOICES, float(most)}) if is_whole else _VOICES
                async for outcome in prove(offer, most, voices, Path(folder)):
                    _say(str(outcome))
                    outcomes.append(outcome)
    wrong = sum(any(outcome.faults()) for outcome in outcomes)
    _say(f"{len(outcomes) - wrong} of {len(outcomes)} are as they should be")
    return 1 if wrong else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
