"""Tries out the bucket of STORE_URL: writes, reads, links and deletes a small object."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp

from bot.commands.checks.findings import Finding
from bot.errors import FileStoreError, StartupError
from bot.runtime.parts.file_store import open_bucket

if TYPE_CHECKING:
    from bot.media.files.stores.object_store import ObjectStore
    from bot.settings.fields import Settings

_SUBJECT = "STORE_URL"
_LINK_SECONDS = 60.0
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_CONTENT = b"written by clapper's doctor, and to be deleted at once"


async def examine_store(settings: Settings) -> Finding:
    """Write, read, link and delete an object, and check that the bucket really deletes objects."""
    if not settings.store_url:
        return Finding(subject=_SUBJECT, ok=True, found="not set: files are kept in DATA_DIR")
    try:
        bucket = open_bucket(settings)
    except StartupError as error:
        found = str(error).partition(": ")[2]
        return Finding(subject=_SUBJECT, ok=False, found=found)
    try:
        return await _examine(bucket)
    except (FileStoreError, FileNotFoundError) as error:
        return _problem(
            f"the bucket can't be used ({error})",
            "check STORE_URL, STORE_ENDPOINT, STORE_REGION and the key, which must be allowed to "
            "write, read, list and delete objects",
        )


async def _examine(bucket: ObjectStore) -> Finding:
    key = f"clapper-doctor-{uuid4().hex}"
    await bucket.check()
    try:
        has_versions = await bucket.has_versions(key, _CONTENT)
        if await bucket.read_small(key) != _CONTENT:
            return _problem("an object can't be read back", "check the store's own log")
        link = await bucket.link(key, _LINK_SECONDS)
        trouble = await _link_trouble(link) if link else None
    finally:
        await bucket.delete((key,))
    if await bucket.read_small(key) is not None:
        return _problem("a deleted object is still there", "check the store's own log")
    if has_versions:
        return _problem(
            "the bucket keeps versions, so what people delete stays in it",
            "turn off versioning, and delete the older versions",
        )
    if trouble:
        return _problem(
            f"a link to STORE_PUBLIC_ENDPOINT {trouble}",
            "set it to the https address at which the internet reaches the store",
        )
    served = "links lead to the store" if link else "the bot itself sends the files to browsers"
    return Finding(
        subject=_SUBJECT,
        ok=True,
        found=f"writes, reads and deletes; {served}",
        advice="soft delete can't be seen from here: if your store has it, turn it off",
    )


async def _link_trouble(link: str) -> str | None:
    """Return what is wrong with a link, without the link itself, which is a secret."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http, http.get(link) as response:
            if response.status != HTTPStatus.OK:
                return f"is answered with status {response.status}"
            return None if await response.read() == _CONTENT else "leads to something else"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"can't be opened from here ({type(error).__name__})"


def _problem(found: str, advice: str) -> Finding:
    return Finding(subject=_SUBJECT, ok=False, found=found, advice=advice)
