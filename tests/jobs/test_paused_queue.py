"""A provider that refuses the key: cards, probes and operator DMs, over real sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.commands.doctor import examine
from tests.support.providers.videos_api import Fault
from tests.support.schemas.discord_spec import check_all
from tests.support.wire import WITHIN, open_wire

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
REFUSED = Fault(status=401, body={"error": {"message": "Incorrect API key provided"}})
WHY = "is rejecting my API key"


async def test_the_queue_is_paused_until_there_is_another_key(tmp_path: Path) -> None:
    async with open_wire(tmp_path, max_jobs_per_user=9) as wire:
        wire.api.add_faults("create", *[REFUSED] * 4)
        async with wire.bot():
            messages = await asyncio.gather(*(wire.video(f"Cat {number}") for number in range(3)))
            for message in messages:
                await wire.wait_for_card_text(message, WHY)
            await wire.fake_discord.wait_for(wire.fake_discord.dms, within=WITHIN)
            late = await wire.video("A cat that comes later")
            assert WHY in late.text
            await wire.wait_for_card_text(late, "Waiting for the video service")
            await wire.wait_for_card_text(late, "The operator has been notified")
            assert {state for state, _ in wire.rows()} == {"queued"}
            assert wire.creates() == 3
            [dm] = wire.fake_discord.dms()
            assert "OPENAI_API_KEY" in dm.text
            [line] = [f for f in await examine(wire.settings()) if f.subject == "queue"]
            assert "refuses the key" in line.found
        async with wire.bot():  # still the wrong key: one probe, and no second DM to the operator
            async with asyncio.timeout(WITHIN):
                while wire.creates() < 4:  # noqa: ASYNC110 - refused creates raise no event
                    await asyncio.sleep(0.02)
        assert len(wire.fake_discord.dms()) == 1
        async with wire.bot():
            for message in (*messages, late):
                await wire.wait_for_video(message)
            await wire.wait_for_job()
            await wire.fake_discord.wait_for(
                lambda: any("accepts videos again" in dm.text for dm in wire.fake_discord.dms()),
                within=WITHIN,
            )
        assert wire.creates() == 4 + 4
        assert len(wire.api.creates) == 4
        check_all(wire.fake_discord.history.requests)
