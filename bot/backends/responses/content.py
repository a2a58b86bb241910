"""Fetches a finished video, wherever its server says that it is."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import httpx2

from bot.backends.responses import error_kinds, remote_job, result_payload
from bot.errors import BackendError, ErrorKind, MediaError
from bot.media.files.atomic import save
from bot.media.mp4.reader import read_mp4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

_CHUNK = 256 * 1024
_BAD_REQUEST = 400
_NOT_FOUND = 404
_NO_CONTENT = frozenset({_BAD_REQUEST, _NOT_FOUND, 405, 501})
_CLOUD_LINK = re.compile(r"\bcloud URL: (https?://[^\s\"'<>]+)")
_BROKEN_OFF = (httpx2.RemoteProtocolError, httpx2.ReadTimeout)
_FAILED = (httpx2.HTTPError, httpx2.StreamError, ssl.SSLError)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentFetcher:
    """Streams into `sink` what `ask` answers for an address, whatever its status.

    `pauses` are the waits, in seconds, before a missing content is asked for again.
    """

    ask: Callable[[str], Awaitable[httpx2.Response]]
    sink: Path
    max_bytes: int
    pauses: tuple[float, ...]

    async def fetch(self, path: str | None, result_url: str | None) -> None:
        """Fetch from the content route at `path`, or from the link that stands in for it.

        BackendError: it can't be had. MediaError: it is no MP4; TooLargeError: it is too large.
        """
        try:
            link = result_url if path is None else await self._content(path, result_url)
            if link is not None:
                await self._linked(link)
            await asyncio.to_thread(result_payload.check, self.sink)
        except BaseException:
            await asyncio.to_thread(self.sink.unlink, missing_ok=True)
            raise

    async def _content(self, path: str, result_url: str | None) -> str | None:
        response = await self._patiently(path, () if result_url else self.pauses)
        if response.is_success:
            await self._receive(response)
            return await asyncio.to_thread(
                result_payload.unpack, self.sink, max_bytes=self.max_bytes
            )
        answer = remote_job.parse(response.content)
        link = result_url or _link_in_refusal(response.status_code, answer)
        absent = response.status_code in _NO_CONTENT and not error_kinds.is_not_yet(answer)
        if link is None or not absent:
            raise error_kinds.of_content(response.status_code, answer)
        return link

    async def _linked(self, link: str) -> None:
        response = await self.ask(link)
        if not response.is_success:
            raise error_kinds.of_link(response.status_code)
        await self._receive(response)

    async def _patiently(self, path: str, pauses: tuple[float, ...]) -> httpx2.Response:
        response = await self.ask(path)
        for pause in pauses:
            if response.status_code != _NOT_FOUND:
                break
            await asyncio.sleep(pause)
            response = await self.ask(path)
        return response

    async def _receive(self, response: httpx2.Response) -> None:
        is_json = "json" in response.headers.get("content-type", "")
        # Base64 takes four bytes for three.
        limit = self.max_bytes * 3 // 2 if is_json else self.max_bytes
        body = _Body(response)
        try:
            await save(body.chunks(), self.sink, max_bytes=limit)
        finally:
            await response.aclose()
        if body.broken_off:
            await self._accept_if_whole()

    async def _accept_if_whole(self) -> None:
        # Behind a proxy that unpacks, the announced length is false, and the clip is all there.
        try:
            await asyncio.to_thread(read_mp4, self.sink)
        except MediaError as error:
            raise BackendError(ErrorKind.TRANSIENT, "the download broke off") from error


class _Body:
    """The bytes of an answer, and whether they ended before their announced end."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.broken_off = False

    async def chunks(self) -> AsyncIterator[bytes]:
        # The response's own chunking drops the last bytes when the body breaks off.
        waiting = bytearray()
        async for piece in self._pieces():
            waiting += piece
            if len(waiting) >= _CHUNK:
                yield bytes(waiting)
                waiting.clear()
        yield bytes(waiting)

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except _BROKEN_OFF:
            self.broken_off = True
        except _FAILED as error:
            reason = type(error).__name__
            raise BackendError(ErrorKind.TRANSIENT, f"the download failed: {reason}") from error


def _link_in_refusal(status: int, answer: object) -> str | None:
    # SGLang with a cloud storage. No other text is trusted with where we go.
    if status != _BAD_REQUEST or not isinstance(answer, dict):
        return None
    detail = cast("dict[str, object]", answer).get("detail")
    link = _CLOUD_LINK.search(detail) if isinstance(detail, str) else None
    return link[1] if link else None
