"""Limits the size of responses that are read into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.backends.transport.base import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_ANSWER = 4 * 1024 * 1024


async def limited(chunks: AsyncIterator[bytes], limit: int = MAX_ANSWER) -> AsyncIterator[bytes]:
    """Yield the chunks of a body.

    Raises NoAnswerError once they have more than `limit` bytes in total.
    """
    left = limit
    async for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise NoAnswerError("AnswerTooLarge")
        yield chunk
