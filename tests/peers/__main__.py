"""Runs every peer and prints one table; exit code 1 when anything went wrong.

A peer that can't be installed is skipped, and its row says why.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

from bot.settings.fields import Settings
from tests.peers import aimock, litellm, nginx, openrouter_sdk, sglang
from tests.peers.findings import Findings

_PEERS = (litellm, sglang, aimock, nginx, openrouter_sdk)
_ALL_WITHIN = 900.0


async def _judge_all(findings: Findings, folder: Path) -> None:
    for peer in _PEERS:
        room = folder / peer.__name__.rpartition(".")[2]
        room.mkdir()
        async with findings.whole(peer.NAME), asyncio.timeout(_ALL_WITHIN):
            await peer.judge(room, findings)


def main() -> int:
    """Run, print, and return the exit code."""
    for name in Settings.model_fields:  # what is set for the bot is not for the proof
        os.environ.pop(name.upper(), None)
    # Our stand-ins break connections off on purpose, and aiohttp tells of each.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        os.chdir(folder)  # away from any .env
        asyncio.run(_judge_all(findings, Path(folder)))
        os.chdir(Path(__file__).parent)
    sys.stdout.write(f"\n{findings.table()}\n\n{findings.failures} failures\n")
    return min(findings.failures, 1)


if __name__ == "__main__":
    sys.exit(main())
