"""Compares the size of the stored videos and narrations with KEEP_GB."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.commands.checks.findings import Finding, unreadable
from bot.media.files.workspace import Workspace
from storage.errors import StorageError
from storage.snapshot import list_kept_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.media.files.stores.base import KeptFile
    from bot.settings.fields import Settings

_GIB = 1024 * 1024 * 1024


async def examine_kept_files(settings: Settings) -> Finding:
    """Report the size of the stored files, with advice if it exceeds KEEP_GB."""
    subject = "stored files"
    try:
        kept = await _kept_files(settings)
    except StorageError as error:
        return unreadable(subject, error)
    except OSError as error:
        return Finding(
            subject=subject,
            ok=False,
            found=f"unreadable: {error.strerror}",
            advice="give the bot's user read access to DATA_DIR",
        )
    if not kept:
        return Finding(subject=subject, ok=True, found="no videos or narrations yet")
    gigabytes = sum(item.size for item in kept) / _GIB
    # A size above the limit is rounded up, so that it is not shown as equal to the limit.
    shown = math.ceil(gigabytes * 100) / 100 if gigabytes > settings.keep_gb else gigabytes
    files = "1 video or narration" if len(kept) == 1 else f"{len(kept)} videos and narrations"
    oldest = datetime.fromtimestamp(min(item.modified_at for item in kept), UTC)
    return Finding(
        subject=subject,
        ok=True,
        found=f"{files}, {shown:.2f} of {settings.keep_gb:g} GB, oldest from {oldest:%Y-%m-%d}",
        advice="the bot deletes the oldest within an hour; if this advice remains, undelivered "
        "videos fill the space: raise KEEP_GB"
        if gigabytes > settings.keep_gb
        else "",
    )


async def _kept_files(settings: Settings) -> Sequence[KeptFile]:
    """Return the files in DATA_DIR, or those that the bot has recorded as kept in a bucket."""
    if settings.store_url:
        return await asyncio.to_thread(list_kept_files, settings.database)
    return (await Workspace(settings.data_dir).inventory()).kept
