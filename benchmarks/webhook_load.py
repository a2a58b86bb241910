"""Measures how soon webhooks are acknowledged at 500 a second, and whether each is stored."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
import statistics
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.environment import SECRET, run_module
from benchmarks.order_environment import open_order_environment
from storage.database import open_database
from tests.support.providers.videos_api import sign
from tests.support.wire import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_WEBHOOKS, _PER_SECOND = 3000, 500
_LATER = 60 * 60.0  # seconds
_SETTLING = 2.0
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)
INSERT INTO jobs (
    id, state, next_at, created_at, updated_at, backend, prompt, model, seconds, size, fingerprint,
    interaction_id, application_id, user_id, channel_id, locale, token_until, upload_limit,
    message_id, remote_id, by_bot, deadline_at)
SELECT printf('%032x', n), 'generating', :later, :now, :now, 'openai', 'p', 'm', 8, '1280x720',
    printf('%x', n), n, 1, n, 1, 'en', 0, 1, n, printf('video_%d', n), 1, :later
FROM numbers
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookLoad:
    """The seconds until each webhook was acknowledged; `lost` ones were not stored."""

    server: str
    seconds: tuple[float, ...]
    lost: int


async def measure_webhooks(folder: Path) -> list[WebhookLoad]:
    """Send webhooks to aiohttp alone, and then to the bot, each about another open job."""
    (folder / "data").mkdir(parents=True)
    async with _bare_server(folder) as url:
        bare = await _send_all(url)
    now = time.time()
    async with open_database(folder / "data") as database:
        await database.rows(_FILL, {"jobs": _WEBHOOKS, "now": now, "later": now + _LATER})
    async with open_order_environment(folder) as environment:
        for number in range(1, _WEBHOOKS + 1):
            environment.videos_api.jobs[f"video_{number}"] = _remote_job(number)
        await asyncio.sleep(_SETTLING)
        acknowledged = await _send_all(environment.webhook_url)
    with closing(sqlite3.connect(folder / "data" / "clapper.db")) as reader:
        [stored] = reader.execute("SELECT count(*) FROM inbox").fetchone()
    return [
        WebhookLoad(server="aiohttp alone, which stores nothing", seconds=bare, lost=0),
        WebhookLoad(server="the bot", seconds=acknowledged, lost=_WEBHOOKS - stored),
    ]


async def _send_all(url: str) -> tuple[float, ...]:
    """Send the webhooks at an even rate; return the seconds of those that were acknowledged."""
    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        tasks: list[asyncio.Task[float | None]] = []
        for number in range(1, _WEBHOOKS + 1):
            due = started + number / _PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(_send(http, url, number), name=f"webhook {number}"))
        answers = await asyncio.gather(*tasks)
    return tuple(seconds for seconds in answers if seconds is not None)


async def _send(http: aiohttp.ClientSession, url: str, number: int) -> float | None:
    now = int(time.time())
    event = {"type": "video.completed", "created_at": now, "data": {"id": f"video_{number}"}}
    body = json.dumps(event).encode()
    headers = sign(SECRET, f"wh_{number}", now, body)
    sent = time.perf_counter()
    try:
        async with http.post(url, data=body, headers=headers) as response:
            await response.read()
    except aiohttp.ClientError:
        return None
    return time.perf_counter() - sent if response.status == HTTPStatus.OK else None


def _remote_job(number: int) -> dict[str, object]:
    return {
        "id": f"video_{number}",
        "object": "video",
        "model": "m",
        "status": "in_progress",
        "progress": 10,
        "created_at": int(time.time()),
        "completed_at": None,
        "expires_at": None,
        "prompt": "p",
        "size": "1280x720",
        "seconds": "8",
        "error": None,
    }


@asynccontextmanager
async def _bare_server(folder: Path) -> AsyncGenerator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    log = folder / "bare.log"
    async with run_module(log, {}, ("benchmarks.bare_aiohttp", str(port), str(log))):
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while not await _is_up(http, url):
                await asyncio.sleep(0.05)
        yield url


async def _is_up(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.post(url, data=b"") as response:
            return response.status == HTTPStatus.OK
    except aiohttp.ClientError:
        return False


def rows(results: list[WebhookLoad]) -> list[tuple[str, ...]]:
    """Return the cells of a table of results."""
    return [
        (
            each.server,
            f"{statistics.median(each.seconds) * 1000:.0f}",
            f"**{sorted(each.seconds)[math.ceil(0.95 * len(each.seconds)) - 1] * 1000:.0f}**",
            f"{max(each.seconds) * 1000:.0f}",
            str(_WEBHOOKS - len(each.seconds)),
            str(each.lost),
        )
        for each in results
        if each.seconds
    ]
