"""Runs the losses: `python -m tests.proofs.scale.losses [jobs] [part of a name]`."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.proofs.scale.losses.fleet import open_fleet
from tests.proofs.scale.losses.scenarios import SCENARIOS, pause_before_post

_JOBS = 200
_SETTLE_SECONDS = 900.0
_MARKS = {True: "ok ", False: "BAD"}


async def run(name: str, jobs: int, **settings: str) -> bool:
    """Run one loss, print what became of the orders, and return whether nothing is wrong."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clapper-fleet-") as folder:
        if SCENARIOS[name] is pause_before_post:
            settings["PROOF_PAUSE"] = str(Path(folder) / "paused")
        async with open_fleet(Path(folder), **settings) as fleet:
            found = await SCENARIOS[name](fleet, jobs)
            await fleet.orders.settle(_SETTLE_SECONDS)
            verdict = fleet.orders.verdict()
            print(  # noqa: T201 - a report
                f"  {_MARKS[verdict.is_good]} {name}: {verdict}"
                f"{f'; {found}' if found else ''} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            if not verdict.is_good and "PROOF_NO_FENCE" not in settings:
                for process in fleet.processes.values():
                    print(f"--- {process.name}\n{process.log_tail()}")  # noqa: T201 - a report
    return verdict.is_good


async def main(jobs: int, part: str) -> int:
    """Run all losses whose name has this part."""
    is_good = True
    for name, scenario in SCENARIOS.items():
        if part not in name:
            continue
        is_good &= await run(name, jobs)
        if scenario is pause_before_post:
            # The proof is worth something only if it sees the fault.
            is_caught = not await run(name, jobs, PROOF_NO_FENCE="1")
            print(  # noqa: T201 - a report
                f"  {_MARKS[is_caught]} the last line is without the fence: it has to be BAD",
                flush=True,
            )
            is_good &= is_caught
    return 0 if is_good else 1


if __name__ == "__main__":
    # Killed processes cut their connections to the stand-ins.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    arguments = sys.argv[1:]
    sys.exit(
        asyncio.run(
            main(
                int(arguments[0]) if arguments else _JOBS,
                arguments[1] if len(arguments) > 1 else "",
            )
        )
    )
