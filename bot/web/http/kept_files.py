"""KeptFileSender: sends kept files, or redirects callers to the store that has them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.errors import FileStoreError
from bot.media.files.stores.remote_file import RemoteFile
from bot.web.http.file_response import open_file, send_file, send_stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from pathlib import Path

    from bot.media.files.workspace import Workspace

# A link to the store is valid for long enough to watch a video to its end. On each request to the
# bot's own link, the bot checks that link again, and makes a new link to the store.
_LINK_SECONDS = 10 * 60.0


class KeptFileSender:
    """Sends the files that links refer to. The calling code must have checked the link.

    If callers can reach the store, the response is a redirect to a secret link that soon expires.
    Raises web.HTTPNotFound if a file is not kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def send_video(
        self, request: web.Request, job_id: str, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Respond with a finished video or its requested range, or with a redirect."""
        link = await self._workspace.link_video(job_id, seconds=_LINK_SECONDS)
        # A link to the store is only valid for GET, so the bot itself responds to HEAD requests.
        if link is not None and request.method == hdrs.METH_GET:
            return _redirect(link)
        return await _send(request, self._workspace.find_video(job_id), headers)

    async def send_poster(
        self, request: web.Request, job_id: str, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Respond with a poster, or with a redirect."""
        link = await self._workspace.link_poster(job_id, seconds=_LINK_SECONDS)
        if link is not None and request.method == hdrs.METH_GET:
            return _redirect(link)
        return await _send(request, self._workspace.find_poster(job_id), headers)

    async def send_captions(
        self, request: web.Request, job_id: str, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Respond with a video's captions.

        There is no redirect, because browsers only load captions from the origin of the page.
        """
        return await _send(request, self._workspace.fetch_captions(job_id), headers)


def _redirect(link: str) -> web.Response:
    headers = {hdrs.LOCATION: link, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(status=HTTPStatus.FOUND, headers=headers)


async def _send(
    request: web.Request, find: Awaitable[Path | RemoteFile], headers: Mapping[str, str]
) -> web.StreamResponse:
    try:
        found = await find
        file = found if isinstance(found, RemoteFile) else await open_file(found)
    except FileStoreError:
        raise
    except OSError:
        raise web.HTTPNotFound from None
    if isinstance(file, RemoteFile):
        return await send_stored(request, file, headers)
    with file:
        return await send_file(request, file, headers)
