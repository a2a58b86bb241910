"""Downloads a finished video from the content route, or from a link in a response."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bot.backends.responses import error_kinds, remote_job, result_payload
from bot.backends.transport.base import NO_ANSWER, CutOffError, reason_of
from bot.errors import BackendError, ErrorKind, MediaError, NoClipYetError
from bot.media.clip_format import check_clip, demuxer_of, head_of
from bot.media.files.atomic import save
from bot.media.files.min_rate import enforce_min_rate
from bot.media.mp4.reader import read_mp4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bot.backends.transport.base import Answer
    from bot.media.mp4.reader import VideoInfo

_MAX_LINKS = 2  # a link may lead to JSON that contains the actual link
_MAX_PAGE = 1024 * 1024
_BAD_REQUEST = 400
_NOT_FOUND = 404
_NO_CONTENT_STATUSES = frozenset({_BAD_REQUEST, _NOT_FOUND, 405, 501})
_CLOUD_LINK = re.compile(r"\bcloud URL: (https?://[^\s\"'<>]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentFetcher:
    """Downloads a video to the file `sink`.

    `ask`: requests a path or URL, and returns the response, even if its status is an error.
    `address_of`: returns the URL of a link that was found in a response.
    `pauses`: the seconds to wait between attempts while the video is missing.
    """

    ask: Callable[[str], Awaitable[Answer]]
    address_of: Callable[[str], str]
    sink: Path
    max_bytes: int
    pauses: tuple[float, ...]

    async def fetch(self, path: str | None, result_url: str | None) -> VideoInfo | None:
        """Download from the content route at `path` or, if it has no video, from `result_url`.

        Returns the properties of an MP4, and None for another format.
        Raises NoClipYetError if the file is only a web page, and MediaError if the file is
        something else that is not a video. Raises TooLargeError if the file is larger than
        `max_bytes`. Raises BackendError if the download fails.
        """
        try:
            link = result_url if path is None else await self._fetch_content(path, result_url)
            for _ in range(_MAX_LINKS):
                if link is None:
                    break
                link = await self._fetch_link(link)
            return await asyncio.to_thread(_check, self.sink)
        except BaseException:
            await asyncio.to_thread(self.sink.unlink, missing_ok=True)
            raise

    async def _fetch_content(self, path: str, result_url: str | None) -> str | None:
        """Download from the content route.

        If the response contains only a link to the video, returns the link.
        """
        response = await self._ask_repeatedly(path, () if result_url else self.pauses)
        if response.ok:
            await self._receive(response)
            found, is_video = await asyncio.to_thread(self._unpack_content)
            # Some servers respond to every path with a web page instead of the video.
            return found or (None if is_video else result_url)
        answer = remote_job.parse(response.content)
        link = result_url or _link_in_refusal(response.status, answer)
        error = error_kinds.of_content(response.status, answer)
        if link is None or error_kinds.is_unfinished(answer):
            raise error
        if response.status not in _NO_CONTENT_STATUSES:
            try:
                return await self._fetch_link(link)
            except BackendError:
                raise error from None  # the content route may work again later
        return link

    async def _fetch_link(self, link: str) -> str | None:
        """Download from a link.

        If the response contains another link instead of a video, returns that link.
        """
        response = await self.ask(link)
        if not response.ok:
            raise error_kinds.of_link(response.status)
        await self._receive(response)
        return await asyncio.to_thread(self._unpack)

    def _unpack_content(self) -> tuple[str | None, bool]:
        """Unpack the response. Returns the link in it, if any, and whether the file is a video."""
        return self._unpack(), demuxer_of(head_of(self.sink)) is not None

    def _unpack(self) -> str | None:
        found = result_payload.unpack(self.sink, max_bytes=self.max_bytes)
        return self.address_of(found) if found else None

    async def _ask_repeatedly(self, path: str, pauses: tuple[float, ...]) -> Answer:
        response = await self.ask(path)
        for pause in pauses:
            if response.status != _NOT_FOUND:
                break
            await asyncio.sleep(pause)
            response = await self.ask(path)
        return response

    async def _receive(self, response: Answer) -> None:
        is_json = "json" in response.headers.get("content-type", "")
        # Base64 is a third larger than the clip, and the JSON around it adds a little more.
        limit = self.max_bytes * 3 // 2 if is_json else self.max_bytes
        body = _Body(response)
        try:
            await save(enforce_min_rate(body.chunks()), self.sink, max_bytes=limit)
        finally:
            await response.close()
        if body.is_truncated:
            await self._require_complete_clip()

    async def _require_complete_clip(self) -> None:
        # A proxy that decompresses a response leaves the Content-Length unchanged. The clip may
        # then be complete although its length doesn't match.
        try:
            await asyncio.to_thread(read_mp4, self.sink)
        except MediaError as error:
            raise BackendError(ErrorKind.TRANSIENT, "the download was cut off") from error


def _check(path: Path) -> VideoInfo | None:
    try:
        return check_clip(path)
    except MediaError as error:
        # A server may respond with a web page while it stores the clip, or during maintenance.
        is_page = path.stat().st_size <= _MAX_PAGE and demuxer_of(head_of(path)) is None
        raise (NoClipYetError(str(error)) if is_page else error) from None


class _Body:
    """The body of a response.

    `is_truncated`: whether the body ended before all of the announced bytes had arrived.
    """

    def __init__(self, response: Answer) -> None:
        self._response = response
        self.is_truncated = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.chunks:
                yield chunk
        except CutOffError:
            self.is_truncated = True
        except NO_ANSWER as error:
            reason = reason_of(error)
            raise BackendError(ErrorKind.TRANSIENT, f"the download failed: {reason}") from error


def _link_in_refusal(status: int, answer: object) -> str | None:
    # SGLang with cloud storage sends the link in an error message with status 400. Links in other
    # error messages are not followed.
    if status != _BAD_REQUEST or not isinstance(answer, dict):
        return None
    detail = cast("dict[str, object]", answer).get("detail")
    link = _CLOUD_LINK.search(detail) if isinstance(detail, str) else None
    return link[1] if link else None
