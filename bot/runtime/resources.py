"""Opens the shared resources: the database, the server's port, ffmpeg and an HTTP session."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from bot.links import load_secret
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.pacing import machine_clock
from bot.runtime.open_files import raise_limit
from bot.web.http.server import bind
from storage.database import open_database
from storage.files.data_folder import exclusive, make_data_folder, refuse_moved

if TYPE_CHECKING:
    import socket
    from contextlib import AsyncExitStack
    from pathlib import Path

    from bot.pacing import WatchedClock
    from bot.settings.fields import Settings
    from storage.database import Database


log = logging.getLogger(__name__)

#: The bytes of disk space that must be free before a new video is started.
MIN_FREE_BYTES = 1024**3


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """The open resources, which are the same for every backend."""

    settings: Settings
    clock: WatchedClock
    database: Database
    secret: bytes
    ffmpeg: Ffmpeg
    ffmpeg_path: Path
    listener: socket.socket
    http: aiohttp.ClientSession

    @property
    def port(self) -> int:
        """The port on which the embedded HTTP server listens."""
        port: int = self.listener.getsockname()[1]
        return port


async def open_resources(
    settings: Settings, stack: AsyncExitStack, *, is_shared: bool = False
) -> Resources:
    """Open the resources.

    `is_shared`: whether other processes may have the database open at the same time. They must set
    `is_shared` too.

    Raises StartupError if the operator has to change something first.
    """
    log.debug("app.open_files limit=%d", raise_limit())
    await asyncio.to_thread(make_data_folder, settings.data_dir)
    if settings.database == settings.data_dir:
        await asyncio.to_thread(refuse_moved, settings.data_dir)
    if is_shared:
        # Only the database is shared. Each process needs a folder for its own work.
        stack.enter_context(exclusive(settings.data_dir))
    database = await stack.enter_async_context(
        open_database(settings.database, is_shared=is_shared)
    )
    secret = await asyncio.to_thread(
        load_secret, settings.secret_key.get_secret_value(), settings.data_dir / "secret.key"
    )
    ffmpeg_path = await find_ffmpeg()
    return Resources(
        settings=settings,
        clock=machine_clock(database.wall),
        database=database,
        secret=secret,
        ffmpeg=Ffmpeg(ffmpeg_path, slots=1),
        ffmpeg_path=ffmpeg_path,
        listener=stack.enter_context(bind(settings.http_host, settings.http_port)),
        http=await stack.enter_async_context(aiohttp.ClientSession()),
    )
