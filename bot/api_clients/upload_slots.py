"""UploadSlots: limits the uploads of API clients, before their contents are read."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.media.files.workspace import Workspace

_MAX_UPLOADS = 2  # of one client at the same time
# The disk space that an upload needs, as a multiple of the maximum size of an audio file. A JSON
# body is stored together with the audio that is decoded from it.
_COPIES = 3


class UploadSlots:
    """Allows each client two uploads at the same time, if the disk has room for all uploads.

    `max_bytes`: the maximum size of an audio file.
    `min_free_bytes`: the disk space that must stay free during uploads.
    """

    def __init__(self, workspace: Workspace, *, max_bytes: int, min_free_bytes: int) -> None:
        self._workspace = workspace
        self._upload_bytes = _COPIES * max_bytes
        self._min_free_bytes = min_free_bytes
        self._running = Counter[str]()

    async def check(self, client: str) -> None:
        """Raise UserError if the client can't start an upload now."""
        if self._running[client] >= _MAX_UPLOADS:
            raise UserError("api.uploads", limit=_MAX_UPLOADS)
        needed = self._upload_bytes * (self._running.total() + 1)
        if await self._workspace.free_bytes() < self._min_free_bytes + needed:
            raise UserError("api.no_space")

    @asynccontextmanager
    async def take(self, client: str) -> AsyncGenerator[None]:
        """Occupy an upload slot for the duration of the `with` block.

        Raises UserError in the same cases as `check`.
        """
        await self.check(client)
        # Another upload may have started during the check.
        if self._running[client] >= _MAX_UPLOADS:
            raise UserError("api.uploads", limit=_MAX_UPLOADS)
        self._running[client] += 1
        try:
            yield
        finally:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
