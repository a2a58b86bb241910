from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clients.site import Caller, open_site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.support.fakes.bench import Bench


@pytest.fixture
async def caller(bench: Bench) -> AsyncGenerator[Caller]:
    async with open_site(bench) as opened:
        yield opened


async def voice() -> AsyncIterator[bytes]:
    yield b"OggS a voice"


@pytest.mark.parametrize("turns", range(1, 9))
async def test_an_order_that_is_cut_off_has_its_narration_if_it_was_stored_and_else_nothing(
    caller: Caller, turns: int
) -> None:
    upload = await caller.clients.receive_audio(voice(), filename="voice.ogg")
    order = asyncio.create_task(caller.clients.submit("web", "a cat", upload))
    for _ in range(turns):
        await asyncio.sleep(0)
    order.cancel()
    await asyncio.wait({order})

    is_stored = await caller.bench.jobs.get(upload.job_id) is not None
    assert caller.bench.workspace.folder(upload.job_id).attachment.exists() == is_stored
