"""OrderedCopies: has the workers make the smaller copies of videos."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import DeliveryError
from storage.delivery.copy_orders import CopyOrder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.media.files.workspace import Workspace
    from storage.delivery.copy_orders import CopyOrderStore

_LOOK_SECONDS = 1.0
_MAX_LOOKS = 600
_RETRY_SECONDS = 60.0


class OrderedCopies:
    """Orders copies from the workers, and waits until they are made. It is a `Shrinker`."""

    def __init__(
        self,
        store: CopyOrderStore,
        workspace: Workspace,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._workspace = workspace
        self._sleep = sleep

    async def shrink(
        self, job_id: str, *, limit_bytes: int, decent: bool, in_background: bool = False
    ) -> None:
        """Have a copy made, if possible, and wait until the store has it.

        Raises DeliveryError if no worker has made the copy after a long time. A retry waits again.
        """
        size = await self._workspace.copy_size(job_id, decent=decent)
        if size is not None and size <= limit_bytes:
            return
        order = CopyOrder(
            job_id=job_id, decent=decent, limit_bytes=limit_bytes, in_background=in_background
        )
        await self._store.order(order)
        for _ in range(_MAX_LOOKS):
            if await self._store.is_done(order):
                await self._store.forget(order)
                return
            await self._sleep(_LOOK_SECONDS)
        raise DeliveryError("no worker has made the copy", retry_after=_RETRY_SECONDS)
