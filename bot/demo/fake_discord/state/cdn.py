"""Serves uploaded files at signed links that expire, as Discord's CDN does."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aiohttp import web

from bot.demo.fake_discord.api_errors import EXPIRED_LINK, RefusedError
from bot.demo.fake_discord.uploads import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.demo.fake_discord.state.limits import DiscordLimits
    from bot.demo.fake_discord.uploads import StoredFile
    from bot.demo.fake_discord.wire import Payload, Snowflakes


ROUTE = r"/{kind:(?:ephemeral-)?attachments}/{owner}/{id:\d+}/{name}"


class Cdn:
    """Gives each file an attachment id, and a URL below `base()`."""

    def __init__(
        self,
        *,
        ids: Snowflakes,
        clock: Callable[[], float],
        limits: DiscordLimits,
        base: Callable[[], str],
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._limits = limits
        self._base = base
        self._files: dict[int, StoredFile] = {}

    def publish(
        self, stored: StoredFile, owner: int, *, ephemeral: bool = False, description: str = ""
    ) -> Payload:
        """Return Discord's attachment object; `owner` is the id of a channel or of the app."""
        number = self._ids.next()
        self._files[number] = stored
        kind = "ephemeral-attachments" if ephemeral else "attachments"
        path = f"/{kind}/{owner}/{number}/{clean(stored.filename)}"
        now = int(self._clock())
        until = f"{now + int(self._limits.attachment_life):x}"
        url = f"{self._base()}{path}?ex={until}&is={now:x}&hm={_sign(path, until)}"
        attachment: Payload = {
            "id": str(number),
            "filename": clean(stored.filename),
            "size": stored.size,
            "url": url,
            "proxy_url": url,
            "content_type": stored.content_type,
        }
        if ephemeral:
            attachment["ephemeral"] = True
        if description:
            attachment["description"] = description
        return attachment

    def find(self, number: int) -> StoredFile:
        """Return the file with this attachment id; raise KeyError if there is none."""
        return self._files[number]

    async def serve(self, request: web.Request) -> web.FileResponse:
        """Serve a link's file; raise RefusedError if the link is invalid or has expired."""
        until, number = request.query.get("ex", ""), int(request.match_info["id"])
        signed = request.query.get("hm") == _sign(request.path, until)
        if not signed or int(until, 16) < self._clock():
            raise RefusedError(EXPIRED_LINK)
        stored = self._files[number]
        return web.FileResponse(stored.path, headers={"Content-Type": stored.content_type})


def _sign(path: str, until: str) -> str:
    # This is no secret signature: it only detects a changed or truncated URL.
    return hashlib.sha256(f"{path} {until}".encode()).hexdigest()
