from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.support.wire import open_wire

if TYPE_CHECKING:
    from pathlib import Path


TOKENS = {"api_token": "web:a-token-of-enough-letters", "owner_token": "a-token-of-the-owner"}


@pytest.mark.parametrize(("tokens", "status"), [({}, 404), (TOKENS, 200)])
async def test_the_pages_are_there_for_those_who_were_given_a_token(
    tmp_path: Path, tokens: dict[str, str], status: int
) -> None:
    async with open_wire(tmp_path) as wire, wire.bot(**tokens):
        here = f"http://127.0.0.1:{wire.port}"
        answers = [await fetch(f"{here}{path}") for path in ("/", "/static/app.js", "/owner")]
    assert [answer for answer, _ in answers] == [status] * 3


async def test_the_link_in_a_dm_opens_a_page_that_unfurls_the_video(tmp_path: Path) -> None:
    async with open_wire(tmp_path, seconds_per_job=None) as wire:
        public = f"http://127.0.0.1:{wire.port}"
        async with wire.bot(public_url=public):
            message = await wire.video("A cat & <a dog>")
            await wire.wait_for_card_text(message, "Creating")
            wire.fake_discord.limits.upload_bytes = 1000
            wire.fake_discord.messages.delete(message)
            [ref] = wire.api.jobs
            wire.api.finish(ref)
            await wire.wait_for_job()
            [dm] = wire.fake_discord.dms()
            [url] = re.findall(r"http\S+/v/\S+", dm.text)
            seen, page = await fetch(url)
            film, _ = await fetch(meta(page, "og:video"), Range="bytes=0-9")
            poster, picture = await fetch(meta(page, "og:image"))
    assert (seen, film, poster) == (200, 206, 200)
    assert meta(page, "og:title") == "A cat &amp; &lt;a dog&gt;"
    assert picture.startswith(b"\xff\xd8")


async def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.read()


def meta(page: bytes, name: str) -> str:
    [content] = re.findall(rf'<meta property="{name}" content="([^"]*)">', page.decode())
    return content
