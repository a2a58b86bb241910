"""Texts between processes, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from storage.postgres.notices import open_notices
from tests.support.fakes.clock import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from storage.postgres.notices import Notices
    from tests.support.postgres import PostgresServer


class Process:
    """One side of the exchange, and what it has heard."""

    def __init__(self, url: str) -> None:
        self.notices: Notices = open_notices(url)
        self.heard: list[str] = []
        self.changed = asyncio.Condition()

    async def receive(self, text: str) -> None:
        async with self.changed:
            self.heard.append(text)
            self.changed.notify_all()

    async def until_heard(self, text: str, sender: Process) -> None:
        """Have the other side repeat a text until this side has heard it."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.heard:
                sender.notices.send(text)
                await asyncio.sleep(0.05)


@pytest.fixture
async def url(postgres: PostgresServer, tmp_path: Path) -> str:
    return await postgres.url_of(tmp_path)


@asynccontextmanager
async def two(url: str) -> AsyncGenerator[tuple[Process, Process]]:
    one, other = Process(url), Process(url)
    tasks = [
        asyncio.create_task(each.notices.run(each.receive), name="notices") for each in (one, other)
    ]
    try:
        await other.until_heard("hello", one)
        yield one, other
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_texts_reach_the_other_processes_in_order_and_not_their_sender(url: str) -> None:
    # More than one batch can hold, with characters that JSON escapes.
    texts = [f"“{number}” " + "ö" * 80 for number in range(300)]
    async with two(url) as (one, other):
        for text in texts:
            one.notices.send(text)
        async with asyncio.timeout(PATIENCE), other.changed:
            await other.changed.wait_for(lambda: texts[-1] in other.heard)
        assert [text for text in other.heard if text != "hello"] == texts
        assert one.heard == []


async def test_a_restart_of_the_server_only_loses_texts(postgres: PostgresServer, url: str) -> None:
    async with two(url) as (one, other):
        await asyncio.to_thread(postgres.restart)
        await other.until_heard("after the restart", one)
        await one.until_heard("the other way", other)
