"""Runs the tests of every peer and prints a table; the exit code is 1 if any of them failed.

A peer is an independent server or SDK. One that can't be installed is skipped, with the reason in
its row.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

from bot.settings.fields import Settings
from tests.proofs.peers import aimock, litellm, new_api, openrouter_sdk, sglang, vllm_omni
from tests.proofs.peers.findings import Findings

_PEERS = (litellm, sglang, vllm_omni, aimock, new_api, openrouter_sdk)
_PEER_WITHIN = 900.0


async def _judge_all(findings: Findings, folder: Path) -> None:
    for peer in _PEERS:
        own_folder = folder / peer.__name__.rpartition(".")[2]
        own_folder.mkdir()
        async with findings.peer(peer.NAME), asyncio.timeout(_PEER_WITHIN):
            await peer.judge(own_folder, findings)


def main() -> int:
    """Run all peers, print the table, and return the exit code."""
    for name in Settings.model_fields:  # the developer's settings must not change the tests
        os.environ.pop(name.upper(), None)
    # Our stand-ins cut connections on purpose, and aiohttp logs each as an error.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        os.chdir(folder)  # where there is no .env
        asyncio.run(_judge_all(findings, Path(folder)))
        os.chdir(Path(__file__).parent)
    sys.stdout.write(f"\n{findings.table()}\n\n{findings.failures} failures\n")
    return min(findings.failures, 1)


if __name__ == "__main__":
    sys.exit(main())
