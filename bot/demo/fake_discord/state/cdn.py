"""Serves uploaded files at signed URLs that expire, like Discord's CDN."""

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
    """Gives each uploaded file an attachment id and a URL.

    `base` returns the beginning of these URLs.
    """

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
        """Publish a file, and return it as Discord's attachment object.

        `owner`: the id of the channel or of the application.
        """
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
        """Return the file with this attachment id.

        Raises KeyError if there is none.
        """
        return self._files[number]

    async def serve(self, request: web.Request) -> web.FileResponse:
        """Respond with the file of a signed URL.

        Raises RefusedError if the URL is invalid or has expired.
        """
        until, number = request.query.get("ex", ""), int(request.match_info["id"])
        signed = request.query.get("hm") == _sign(request.path, until)
        if not signed or int(until, 16) < self._clock():
            raise RefusedError(EXPIRED_LINK)
        stored = self._files[number]
        return web.FileResponse(stored.path, headers={"Content-Type": stored.content_type})


def _sign(path: str, until: str) -> str:
    # Anyone could compute this signature. It only detects URLs that were changed or cut off.
    return hashlib.sha256(f"{path} {until}".encode()).hexdigest()
