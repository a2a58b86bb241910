"""A worker's part that makes smaller copies, in a process of its own on one processor core.

`python -m benchmarks.scale_encoder URL STORE ROOT CORE`: URL is a PostgreSQL database with orders
for copies, STORE the folder in which all encoders keep files, ROOT the folder of this one's work.
The process makes copies until none is ordered. Its ffmpeg runs on the same core.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import aiohttp

from bot.jobs.editor import NarrationEditor
from bot.media.files.download import AttachmentFetcher
from bot.media.files.stores.folder import FolderStore
from bot.media.files.workspace import Workspace
from bot.media.process.ffmpeg import Ffmpeg
from bot.media.render.narration_options import NarrationOptions
from bot.runtime.roles.copy_maker import CopyMaker
from storage.database import open_database
from storage.delivery.copy_orders import CopyOrderStore
from tests.support.media.clips import binary


async def _run(url: str, store: Path, root: Path) -> None:
    async with open_database(url, is_shared=True) as database, aiohttp.ClientSession() as session:
        ffmpeg = Ffmpeg(binary(), slots=1)
        editor = NarrationEditor(
            ffmpeg,
            ffmpeg,
            AttachmentFetcher(session, hosts=frozenset(), max_bytes=1),
            Workspace(root, FolderStore(store)),
            options=NarrationOptions(),
            max_seconds=60,
        )
        orders = CopyOrderStore(database, clock=database.wall)
        maker = CopyMaker(orders, editor, in_background=False)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        before, made = _cpu(), 0
        while await maker.make_next():
            made += 1
        answer = {"ended_at": time.time(), "copies": made, "cpu": _cpu() - before}
    sys.stdout.write(f"{json.dumps(answer)}\n")


def _cpu() -> float:
    """Return the CPU seconds of this process, and of its ffmpeg processes that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    address, shared, own, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    asyncio.run(_run(address, Path(shared), Path(own)))
