"""What the whole bot does with a bucket: from the order to the deletion."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from bot.links import Links, derive_key
from tests.proofs.scale.checks import check
from tests.support.browser.chromium import open_chromium
from tests.support.media import clips
from tests.support.wire import button, open_wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.proofs.scale.bucket import Bucket
    from tests.support.wire import Wire

_WITHIN_SECONDS = 30.0
_DAY = 24 * 60 * 60.0
_PLAY = "() => { const v = document.querySelector('video'); v.muted = true; v.play(); }"
_PLAYS = "() => { const v = document.querySelector('video'); return v && v.currentTime > 0.2; }"
_SECRETS = ("X-Amz-Signature", "the-secret-of-the-proof")


class _Lines(logging.Handler):
    """Collects all that is logged, before secrets are removed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


async def test_bot(bucket: Bucket, folder: Path) -> None:
    """Order, watch, withdraw, expire and delete, and look at the bucket after each."""
    heard = _Lines()
    logging.getLogger().addHandler(heard)
    logging.getLogger().setLevel(logging.INFO)
    try:
        async with open_wire(folder, **bucket.settings) as wire:
            public = {
                "public_url": f"http://127.0.0.1:{wire.port}",
                "store_public_endpoint": bucket.public_endpoint,
            }
            await _move_from_disk(wire, bucket)
            async with wire.bot(**public):
                await _order(wire, bucket)
                await _follow_links(wire, bucket)
                await _watch(wire, bucket)
                await _withdraw(wire)
            async with wire.bot(public_url=public["public_url"]):
                await _pass_through(wire, bucket)
            await _free_space(wire, bucket, public)
            async with wire.bot(**public):
                await _delete_all(wire, bucket, folder)
    finally:
        logging.getLogger().removeHandler(heard)
    leaked = [line for line in heard.lines if any(secret in line for secret in _SECRETS)]
    check(not leaked, f"no line of the log has a link or a secret, but {leaked[:1]}")


async def _move_from_disk(wire: Wire, bucket: Bucket) -> None:
    """Make a video without a bucket: it moves there when the bot has one."""
    no_bucket = dict.fromkeys(bucket.settings, "")
    async with wire.bot(**no_bucket):
        await wire.wait_for_video(await wire.video("a lighthouse"))
        await wire.wait_for_job()
    check(bucket.names() == [], "without STORE_URL nothing is in the bucket")
    async with wire.bot():
        await _until(bucket.names)
    job_id = _job_ids(wire)[0]
    check(bucket.names() == [f"videos/{job_id}.mp4"], "a video on the disk moves to the bucket")
    check(not (wire.data_dir / "videos" / f"{job_id}.mp4").exists(), "and leaves the disk")


async def _order(wire: Wire, bucket: Bucket) -> None:
    """Order a narrated video: it is in the bucket with its poster and its narration."""
    voice = wire.folder / "voice.wav"
    clips.make_speech(voice, seconds=1)
    card = await wire.video("a kite over the sea", audio=voice)
    await wire.wait_for_video(card)
    await wire.wait_for_job()
    job_id = _job_ids(wire)[-1]
    expected = {f"videos/{job_id}.mp4", f"videos/{job_id}.jpg", f"narrations/{job_id}"}
    check(expected <= {*bucket.names()}, f"the bucket has the files of the job: {bucket.names()}")
    [file] = card.files
    check(file.path.read_bytes() == bucket.read(f"videos/{job_id}.mp4"), "the card has the video")
    check(not (wire.data_dir / "work" / job_id).exists(), "the work folder is deleted")


async def _follow_links(wire: Wire, bucket: Bucket) -> None:
    job_id = _job_ids(wire)[-1]
    content = bucket.read(f"videos/{job_id}.mp4")
    link = _links(wire).make(job_id)
    async with aiohttp.ClientSession() as http:
        async with http.get(link, allow_redirects=False) as answer:
            check(answer.status == 302, "a link is answered by a redirect")
            check(answer.headers["Cache-Control"] == "no-store", "a redirect is not stored")
            target = URL(answer.headers["Location"])
            check(str(target.origin()) == bucket.public_endpoint, "it leads to the public address")
            check(target.query["X-Amz-Expires"] == "600", "for ten minutes")
        async with http.get(link, headers={"Range": "bytes=5-9"}) as answer:
            check(answer.status == 206, "a link answers ranges")
            check(await answer.read() == content[5:10], "with the bytes of the file")
        async with http.get(f"{link}x", allow_redirects=False) as answer:
            check(answer.status == 404, "a forged link leads nowhere")


async def _watch(wire: Wire, bucket: Bucket) -> None:
    """Play a shared video in Chromium, which follows the redirect as the policy allows."""
    share = _links(wire).share(_job_ids(wire)[-1], serial=0)
    loaded: list[str] = []
    errors: list[str] = []
    async with open_chromium() as browser:
        page = await browser.new_page()
        page.on("response", lambda response: loaded.append(response.url))
        page.on("console", lambda message: errors.append(message.text))
        await page.goto(share.url)
        await page.evaluate(_PLAY)
        await page.wait_for_function(_PLAYS)
        poster = await page.evaluate("() => document.querySelector('video').poster")
    check(not errors, f"the console is empty, but for {errors}")
    from_store = [url for url in loaded if url.startswith(bucket.public_endpoint)]
    check(any(".mp4?" in url for url in from_store), "the video comes from the store")
    check(any(".jpg?" in url for url in from_store), f"the poster {poster} comes from the store")


async def _withdraw(wire: Wire) -> None:
    job_id = _job_ids(wire)[-1]
    share = _links(wire).share(job_id, serial=0)
    _change(wire, "UPDATE artifacts SET share_serial = 1", job_id)
    async with aiohttp.ClientSession() as http:
        for path in ("", "/video.mp4", "/poster.jpg"):
            async with http.get(f"{share.url}{path}", allow_redirects=False) as answer:
                check(answer.status == 404, f"a withdrawn page has no {path or 'text'}")


async def _pass_through(wire: Wire, bucket: Bucket) -> None:
    """Without a public address, the bot itself sends the bytes and their ranges."""
    job_id = _job_ids(wire)[-1]
    content = bucket.read(f"videos/{job_id}.mp4")
    async with aiohttp.ClientSession() as http:
        link = _links(wire).make(job_id)
        async with http.get(link, allow_redirects=False) as answer:
            check(await answer.read() == content, "the bot sends the file")
        ranged = {"Range": "bytes=5-9"}
        async with http.get(link, headers=ranged, allow_redirects=False) as answer:
            check(answer.status == 206, "the bot answers ranges")
            check(await answer.read() == content[5:10], "with the bytes of the file")


async def _free_space(wire: Wire, bucket: Bucket, public: dict[str, str]) -> None:
    """Let the oldest video expire by its age, and the next by KEEP_GB."""
    oldest, newest = _job_ids(wire)
    _change(wire, "UPDATE artifacts SET delivered_at = delivered_at - 31 * 24 * 3600", oldest)
    async with wire.bot(**public):
        await _gone(bucket, oldest)
    check(any(newest in name for name in bucket.names()), "the newer video is kept")
    async with wire.bot(**public, keep_gb=1e-9):
        await _gone(bucket, newest)
    check(bucket.names() == [], "nothing is left of expired videos")
    check(_rows(wire, "SELECT * FROM kept_files") == [], "nor is it counted")


async def _delete_all(wire: Wire, bucket: Bucket, folder: Path) -> None:
    """Delete a person's data: nothing of it stays in the bucket or on the disk."""
    await _order(wire, bucket)
    job_id = _job_ids(wire)[-1]
    data = await wire.fake_discord.answer_to(await wire.fake_discord.slash("privacy"))
    for label in ("Delete my data", "Yes, delete everything"):
        await wire.fake_discord.click(data, button(data, label))
        await wire.fake_discord.wait_for(lambda label=label: label not in str(data.components))
    await wire.fake_discord.wait_for(lambda: "is deleted" in data.text)
    check(bucket.names() == [], f"nothing of the person stays in the bucket: {bucket.names()}")
    left = [path for path in (folder / "data").rglob("*") if job_id in path.name]
    check(not left, f"nothing of the person stays on the disk: {left}")


async def _gone(bucket: Bucket, job_id: str) -> None:
    await _until(lambda: not any(job_id in name for name in bucket.names()))


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(_WITHIN_SECONDS):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - the bucket sends no events
            await asyncio.sleep(0.1)


def _links(wire: Wire) -> Links:
    key = derive_key((wire.data_dir / "secret.key").read_bytes(), "links")
    url = f"http://127.0.0.1:{wire.port}"
    return Links(key, public_url=url, lifetime=_DAY, clock=time.time)


def _job_ids(wire: Wire) -> list[str]:
    return [job_id for (job_id,) in _rows(wire, "SELECT id FROM jobs ORDER BY created_at")]


def _rows(wire: Wire, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(wire.data_dir / "clapper.db")) as connection:
        return connection.execute(sql).fetchall()


def _change(wire: Wire, sql: str, job_id: str) -> None:
    with closing(sqlite3.connect(wire.data_dir / "clapper.db")) as connection, connection:
        connection.execute(f"{sql} WHERE job_id = ?", (job_id,))
