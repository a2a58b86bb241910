"""Tests of the Videos API stand-in: its answers match OpenAI's schema, and it runs as a process."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.backends.openai_videos import OpenAIVideos
from tests.support.providers.openai_setup import REQUEST, bytes_of
from tests.support.schemas.openai_spec import check_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.providers.videos_api import VideosApi

pytest_plugins = ["tests.support.providers.openai_fixtures"]

Form = dict[str, str] | None
FORM = {"prompt": "a rainbow", "model": "sora-2", "seconds": "8", "size": "1280x720"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(
    session: aiohttp.ClientSession, api: VideosApi, method: str, path: str, form: Form = None
) -> tuple[int, Any]:
    async with session.request(method, api.base_url + path, data=form) as response:
        return response.status, await response.json()


async def test_every_answer_keeps_to_the_contract(
    api: VideosApi, session: aiohttp.ClientSession
) -> None:
    async def checked(method: str, path: str, form: Form = None) -> dict[str, Any]:
        status, body = await ask(session, api, method, path, form)
        check_answer(method, path, status, body)
        return body

    await checked("GET", "/videos")
    ref = (await checked("POST", "/videos", FORM))["id"]
    await checked("POST", "/videos", {"prompt": "the defaults"})
    await checked("GET", f"/videos/{ref}")
    api.progress(ref, 40)
    await checked("GET", f"/videos/{ref}")
    api.finish(ref)
    await checked("GET", f"/videos/{ref}")
    api.fail(ref, "moderation_blocked", "no")
    await checked("GET", f"/videos/{ref}")
    await checked("GET", "/videos")
    await checked("DELETE", f"/videos/{ref}")


async def test_a_wrong_form_is_refused(api: VideosApi, session: aiohttp.ClientSession) -> None:
    for form in ({}, {"prompt": ""}, FORM | {"size": "1x1"}, FORM | {"seconds": "9"}):
        status, body = await ask(session, api, "POST", "/videos", form)
        assert status == 400
        assert body["error"]["message"]
    assert not api.creates


async def test_the_server_runs_as_its_own_process(clip: Path, tmp_path: Path) -> None:
    history = tmp_path / "creates.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.providers.videos_api",
        "--port",
        "0",
        "--seconds",
        "0.2",
        "--clip",
        str(clip),
        "--history",
        str(history),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    backend = OpenAIVideos(
        base_url=(await process.stdout.readline()).decode().strip(), api_key=None
    )
    try:
        update = await backend.submit(REQUEST, create_key="k")
        while update.state not in {"done", "failed"}:
            update = await backend.poll(update.ref)
        await backend.fetch(update, tmp_path / "v.mp4", max_bytes=10**8)
    finally:
        await backend.close()
        process.terminate()
        await process.wait()
    assert bytes_of(tmp_path / "v.mp4") == bytes_of(clip)
    (line,) = bytes_of(history).splitlines()
    assert json.loads(line)["id"] == update.ref
