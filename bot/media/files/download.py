"""Downloads attachments from Discord, but from no other host, and only up to a size limit."""

from __future__ import annotations

import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot.errors import UnfetchedError, UserError
from bot.media.files.atomic import TooLargeError, save
from bot.media.files.min_rate import enforce_min_rate

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10, sock_read=15)
_CHUNK = 256 * 1024
_MIB = 1024 * 1024


def attachment_hosts(api_url: str) -> frozenset[str]:
    """Return the origins from which attachments may be downloaded.

    `api_url`: the URL of a stand-in for Discord's API, which also serves attachments, or "".
    """
    if api_url:
        parts = urlsplit(api_url)
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    return frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})


class AttachmentFetcher:
    """Downloads attachments of at most `max_bytes`.

    `session`: an HTTP session that sends no credentials.
    `hosts`: the allowed origins, such as https://cdn.discordapp.com.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, hosts: frozenset[str], max_bytes: int
    ) -> None:
        self._session = session
        self._origins = frozenset(URL(host).origin() for host in hosts)
        self._max_bytes = max_bytes

    async def fetch(self, url: str, target: Path) -> None:
        """Stream the attachment at `url` into the file `target`, within a minute.

        Raises UserError if the attachment is too large or no longer exists. Raises UnfetchedError
        if the download fails, but a retry may succeed.
        """
        source = self._allowed(url)
        try:
            await self._stream(source, target)
        except TooLargeError as error:
            raise UserError("audio.too_large", max_mb=self._max_bytes // _MIB) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            # The messages of these errors may contain the signed URL.
            reason = f"the attachment's download failed: {type(error).__name__}"
            raise UnfetchedError(reason) from None

    def _allowed(self, url: str) -> URL:
        with contextlib.suppress(ValueError):
            source = URL(url)
            if source.origin() in self._origins:
                return source
        log.warning("attachment.refused reason=foreign_host")
        raise UserError("audio.gone")

    async def _stream(self, source: URL, target: Path) -> None:
        async with self._session.get(
            source,
            allow_redirects=False,
            timeout=_TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        ) as response:
            _check_status(response.status)
            if (response.content_length or 0) > self._max_bytes:
                raise TooLargeError(f"{response.content_length} bytes were announced")
            chunks = response.content.iter_chunked(_CHUNK)
            await save(enforce_min_rate(chunks), target, max_bytes=self._max_bytes)


def _check_status(status: int) -> None:
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise UserError("audio.gone")
    if status != HTTPStatus.OK:
        raise UnfetchedError(f"the attachment's host answered {status}")
