"""The lock of the desk, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.errors import DeskLostError
from storage.postgres.desk_lock import DeskLock, desk_lock, open_session
from tests.support.fakes.clock import PATIENCE, START, Clock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

# Short, because the server measures the silence.
_SECONDS = 0.4


@pytest.fixture
async def url(postgres: PostgresServer, tmp_path: Path) -> str:
    return await postgres.url_of(tmp_path)


async def test_a_second_desk_waits_until_the_first_ends(url: str) -> None:
    first, second = desk_lock(url), desk_lock(url, seconds=1.0)
    await first.take()
    assert first.is_held
    waiting = asyncio.create_task(second.take(), name="second desk")
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    assert not second.is_held
    await first.release()
    assert not first.is_held
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert second.is_held
    await second.release()


async def test_a_silent_desk_loses_its_lock_to_another(url: str) -> None:
    silent, other = desk_lock(url, seconds=_SECONDS), desk_lock(url, seconds=_SECONDS)
    await silent.take()
    # It sends no beat, as a process that is stopped.
    async with asyncio.timeout(PATIENCE):
        await other.take()
        assert not silent.is_held
        with pytest.raises(DeskLostError):
            await silent.keep()
    assert not silent.is_held
    await other.release()


async def test_beats_keep_the_lock(url: str) -> None:
    lock, other = desk_lock(url, seconds=_SECONDS), desk_lock(url, seconds=_SECONDS)
    await lock.take()
    keeping = asyncio.create_task(lock.keep(), name="keeping")
    waiting = asyncio.create_task(other.take(), name="waiting")
    done, _ = await asyncio.wait({keeping, waiting}, timeout=3 * _SECONDS)
    assert not done
    assert lock.is_held
    for task in (keeping, waiting):
        task.cancel()
    await asyncio.gather(keeping, waiting, return_exceptions=True)
    await lock.release()
    await other.release()


async def test_a_desk_may_not_speak_when_its_last_beat_is_older_than_half_the_time(
    url: str,
) -> None:
    clock = Clock()
    lock = DeskLock(partial(open_session, url), steady=clock.steady, sleep=clock.sleep)
    await lock.take()
    clock.advance(4.9)
    assert lock.is_held
    clock.advance(0.2)
    assert not lock.is_held
    # The server has not ended the session, so the answer proves that no other process is the desk.
    keeping = asyncio.create_task(lock.keep(), name="keeping")
    async with asyncio.timeout(PATIENCE):
        while clock.now < START + 10:  # noqa: ASYNC110 - the clock is the test's
            await asyncio.sleep(0)
    assert lock.is_held
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await lock.release()


async def test_a_restart_of_the_server_ends_the_desk(postgres: PostgresServer, url: str) -> None:
    lock = desk_lock(url, seconds=1.0)
    await lock.take()
    await asyncio.to_thread(postgres.restart)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(DeskLostError):
            await lock.keep()
    assert not lock.is_held
    await lock.release()


async def test_a_standby_waits_for_a_server_that_is_away(
    postgres: PostgresServer, url: str
) -> None:
    lock = desk_lock(url, seconds=1.0)
    await asyncio.to_thread(postgres.stop)
    waiting = asyncio.create_task(lock.take(), name="waiting")
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    await asyncio.to_thread(postgres.start_again)
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert lock.is_held
    await lock.release()
