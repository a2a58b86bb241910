"""Counts the requests that respond to each interaction.

discord.py repeats such a request after it failed. An error from the repetition must not be mistaken
for one from the first request.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from bot.delivery.second_bot import ALREADY_ANSWERED

if TYPE_CHECKING:
    import aiohttp
    import discord

_CALLBACK = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
_MOST_INTERACTIONS = 1000


class CallbackCounter:
    """Distinguishes the first response to an interaction from a repetition by discord.py.

    `trace` must be attached to discord.py's HTTP requests.
    """

    def __init__(self, trace: aiohttp.TraceConfig) -> None:
        self._sent = Counter[int]()
        trace.on_request_start.append(self._count_callback)

    def shows_second_bot(self, interaction: discord.Interaction, error: Exception | None) -> bool:
        """Tell whether an error proves that another process has responded to the interaction.

        An error from a repeated response proves nothing, because Discord may have accepted the
        first one.
        """
        code = getattr(error, "code", None)
        return code == ALREADY_ANSWERED and self._sent[interaction.id] == 1

    async def _count_callback(
        self,
        _session: aiohttp.ClientSession,
        _context: object,
        call: aiohttp.TraceRequestStartParams,
    ) -> None:
        if match := _CALLBACK.search(call.url.path):
            while len(self._sent) >= _MOST_INTERACTIONS:
                del self._sent[next(iter(self._sent))]
            self._sent[int(match[1])] += 1
