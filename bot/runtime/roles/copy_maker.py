"""CopyMaker: makes the smaller copies that the desk orders."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.errors import ClapperError
from storage.delivery.copy_orders import TAKEN_SECONDS
from storage.errors import StorageError

if TYPE_CHECKING:
    from bot.delivery.upload_fallback import Shrinker
    from storage.delivery.copy_orders import CopyOrder, CopyOrderStore

log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0


class CopyMaker:
    """Makes copies, one at a time.

    `in_background`: makes only the copies that no delivery waits for. With False, makes only the
    others.
    """

    def __init__(self, store: CopyOrderStore, editor: Shrinker, *, in_background: bool) -> None:
        self._store = store
        self._editor = editor
        self._in_background = in_background

    async def run(self) -> None:
        """Make copies until cancelled."""
        while True:
            try:
                is_made = await self.make_next()
            except (StorageError, ClapperError, OSError) as error:
                log.warning("copy.not_made error=%r", str(error))
                is_made = False
            if not is_made:
                await asyncio.sleep(_LOOK_SECONDS)

    async def make_next(self) -> bool:
        """Make the next copy. Returns False if none is ordered."""
        order = await self._store.take(in_background=self._in_background)
        if order is None:
            return False
        holding = asyncio.create_task(self._hold(order), name=f"copy:{order.job_id}")
        try:
            await self._editor.shrink(
                order.job_id,
                limit_bytes=order.limit_bytes,
                decent=order.decent,
                in_background=order.in_background,
            )
        except FileNotFoundError:
            log.info("copy.video_gone id=%s", order.job_id)
        finally:
            holding.cancel()
        await self._store.finish(order)
        return True

    async def _hold(self, order: CopyOrder) -> None:
        while True:
            await asyncio.sleep(TAKEN_SECONDS / 3)
            try:
                await self._store.hold(order)
            except StorageError:
                log.info("copy.not_held id=%s", order.job_id)
