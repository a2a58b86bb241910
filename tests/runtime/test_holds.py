"""Jobs on hold, over real sockets: cards, the operator, clients and `generate` show the reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.runtime import engine, workers
from tests.support.wire import WITHIN, open_wire

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
TOKEN = "a-token-for-the-tests-of-holds"


async def test_a_full_disk_is_reported_to_requester_operator_and_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (engine, workers):
        monkeypatch.setattr(module, "MIN_FREE_BYTES", 2**62)
    async with open_wire(tmp_path, api_token=f"web:{TOKEN}") as wire:
        async with wire.bot():
            message = await wire.video("A lighthouse")
            await wire.wait_for_card_text(message, "disk is full")
            await wire.wait_for_card_text(message, "The operator has been notified")
            [dm] = wire.fake_discord.dms()
            assert "less than 1 GB" in dm.text
            assert "disk is full" in await waiting(wire.port)
            assert wire.creates() == 0
        monkeypatch.undo()
        with closing(sqlite3.connect(wire.data_dir / "clapper.db")) as database, database:
            database.execute("UPDATE jobs SET next_at = 0")  # a minute later
        async with wire.bot():
            await wire.wait_for_video(message)
            await wire.fake_discord.wait_for(
                lambda: any("any more" in dm.text for dm in wire.fake_discord.dms()), within=WITHIN
            )


async def waiting(port: int) -> str:
    """Order a video as an API client, and return the reason why it waits."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        async with session.post("/api/generate", json={"scriptOrQuestion": "A cat"}) as response:
            job_id = (await response.json())["jobId"]
        for _ in range(200):
            async with session.get(f"/api/status?jobId={job_id}") as response:
                if sentence := (await response.json()).get("waiting"):
                    return sentence
    return ""


async def test_a_job_at_another_backend_is_reported_and_continues_when_that_is_chosen(
    tmp_path: Path,
) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        async with wire.bot():
            message = await wire.video("A lighthouse")
            ref = await wire.api.created()
            await wire.wait_for_card_text(message, "Creating the video")
        async with wire.bot(video_backend="storyboard"):
            await wire.wait_for_card_text(message, "been switched to a different video service")
            await wire.wait_for_card_text(message, "The operator has been notified")
            [dm] = wire.fake_discord.dms()
            assert "openai" in dm.text
        wire.api.finish(ref)
        async with wire.bot():
            await wire.wait_for_video(message)
            await wire.wait_for_job()
        assert wire.creates() == 1
