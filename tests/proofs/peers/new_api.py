"""Tests against new-api's words, as in its source, because no registry of packages has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.providers.new_api import CHANNELS, NewApi
from tests.support.wire import open_wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proofs.peers.findings import Findings
    from tests.support.wire import Wire

NAME = "new-api's words (a stand-in)"


async def judge(folder: Path, findings: Findings) -> None:
    """Test the bot against each of the gateway's channels."""
    for number, channel in enumerate(CHANNELS):
        own_folder = folder / str(number)
        own_folder.mkdir()
        async with open_wire(own_folder) as wire, NewApi(channel=channel, clip=wire.clip) as api:
            await _orders(channel, wire, api, findings)


async def _orders(channel: str, wire: Wire, api: NewApi, findings: Findings) -> None:
    async with (
        findings.step(NAME, f"{channel}: /video to the finished message"),
        wire.bot(openai_base_url=api.base_url),
    ):
        message = await wire.video("A red kite over the sea")
        await asyncio.wait_for(api.created(), timeout=10)
        [ref] = api.jobs
        api.progress(ref, 50)
        api.finish(ref)
        await wire.wait_for_video(message)
        await wire.wait_for_job()
    async with (
        findings.step(NAME, f"{channel}: /video whose job fails"),
        wire.bot(openai_base_url=api.base_url),
    ):
        message = await wire.video("A kite that fails")
        ref = await asyncio.wait_for(api.created(2), timeout=10)
        api.fail(ref, "", "The upstream gave up.")
        await wire.wait_for_card_text(message, "That didn't work")
