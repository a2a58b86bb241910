"""Cards with one button, and the log records that a press causes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.delivery.views.button_ids import Action
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.world import Channel
    from tests.support.desk import Desk


MANAGE_MESSAGES = 1 << 13


def post_card(
    desk: Desk, action: Action | str, job_id: str, *, where: Channel | None = None
) -> Message:
    """Post a card with one button, as the bot may have done before a restart."""
    button = {"type": 2, "style": 2, "label": "Old", "custom_id": f"clapper:{action}:{job_id}"}
    body: dict[str, Any] = {"flags": 1 << 15, "components": [{"type": 1, "components": [button]}]}
    return desk.fake_discord.messages.create(
        where or desk.fake_discord.world.channel, desk.fake_discord.world.bot, body
    )


class Errors(logging.Handler):
    """Waits for log records."""

    def __init__(self, level: int = logging.ERROR) -> None:
        super().__init__(level)
        self.messages: list[str] = []
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        self.came.set()
