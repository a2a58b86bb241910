"""Runs the contract suite: tests that every backend has to pass.

Each is a quirk that was seen with some server. `make contract` prints the results, and
tests/support/providers/contract.py lists the backends.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.support.media.clips import make_clip
from tests.support.providers.contract import ENTRIES
from tests.support.providers.contract_world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.backends.base import VideoBackend
    from tests.support.providers.contract import Entry


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with every backend that it applies to."""
    if "entry" in metafunc.fixturenames:
        quirk = metafunc.function.__name__.removeprefix("test_")
        able = [entry for entry in ENTRIES if quirk not in entry.lacks]
        metafunc.parametrize("entry", able, ids=[entry.name for entry in able])


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture
async def world(entry: Entry, clip: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(entry.open(clip))

        def connect(base_url: str = "", **settings: object) -> VideoBackend:
            backend = entry.connect(base_url or api.base_url, **settings)
            stack.push_async_callback(backend.close)
            return backend

        yield World(
            entry=entry,
            api=api,
            backend=connect(),
            connect=connect,
            clip=clip,
            sink=tmp_path / "v.mp4",
        )
