from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from bot.backends.base import RemoteState
from bot.model import VideoRequest
from bot.prompts.base import VerbatimWriter
from bot.runtime.adapters import open_backend, open_writers
from bot.runtime.resources import open_resources
from bot.runtime.timing import LOCAL, timing_for
from bot.settings.fields import load_settings
from tests.support.storyboard import ManualRenderer, open_board

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_empty_environment")
REQUEST = VideoRequest(prompt="How rainbows form", model=None, seconds=8, size="1280x720")


async def test_a_renderer_that_is_a_service_shows_the_words_alone(tmp_path: Path) -> None:
    renderer = ManualRenderer(go=False)
    async with open_board(tmp_path / "board", renderer) as board, AsyncExitStack() as stack:
        settings = load_settings(
            data_dir=tmp_path / "data", http_port=0, storyboard_url=board.base_url
        )
        resources = await open_resources(settings, stack)
        backend = await open_backend(resources, stack)
        first = await backend.submit(REQUEST, create_key="one order")
        again = await backend.submit(REQUEST, create_key="one order")
        writers = await open_writers(resources, backend, stack)
    assert (backend.name, again.ref, first.state) == ("storyboard", first.ref, RemoteState.QUEUED)
    assert len(renderer.orders) == 1
    assert all(isinstance(writer, VerbatimWriter) for writer in writers)
    # Another machine may be slow to answer.
    assert timing_for(backend).lookup_delays.first > LOCAL.lookup_delays.first
    assert not (tmp_path / "data" / "storyboard").exists()
