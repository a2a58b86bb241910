"""Serves `/v/<token>`, the page of a shared video, to viewers with the share link."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.delivery.views.formatting import cut
from bot.delivery.views.made_with import made_with
from bot.errors import FileStoreError, MediaError
from bot.media.mp4.reader import read_mp4
from bot.web.http.error_response import language
from bot.web.http.file_response import captions_headers, video_headers
from bot.web.http.kept_files import KeptFileSender
from bot.web.pages.assets import fill, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.artifacts import Artifact
    from bot.jobs.service import JobService
    from bot.links import Links, Share
    from bot.media.files.workspace import Workspace
    from bot.media.render.poster_cache import PosterCache
    from bot.model import Job
    from bot.texts import Texts
    from storage.artifacts import ArtifactStore

_TITLE_CHARACTERS = 70
_DESCRIPTION_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class _SharedVideo:
    share: Share
    job: Job
    artifact: Artifact


class SharePage:
    """Serves the pages of shared videos. Every invalid link gets the same 404 response."""

    def __init__(
        self,
        *,
        links: Links,
        jobs: JobService,
        artifacts: ArtifactStore,
        workspace: Workspace,
        poster_cache: PosterCache,
        texts: Texts,
        store_origin: str = "",
    ) -> None:
        self._links = links
        self._jobs = jobs
        self._artifacts = artifacts
        self._workspace = workspace
        self._files = KeptFileSender(workspace)
        self._poster_cache = poster_cache
        self._texts = texts
        self._headers = _headers(store_origin)
        self._style, self._icon = load("video.css"), load("icon.svg")
        self._page = load("video.html").text
        self._not_found_page = load("gone.html").text

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of the pages, and of the files that the pages use."""
        return [
            web.get("/v/video.css", self._send_style),
            web.get("/v/icon.svg", self._send_icon),
            web.get("/v/{token}", self._show),
            web.get("/v/{token}/video.mp4", self._send_video),
            web.get("/v/{token}/poster.jpg", self._send_poster),
            web.get("/v/{token}/captions.vtt", self._send_captions),
        ]

    async def _send_style(self, request: web.Request) -> web.Response:
        return self._style.response_to(request, {})

    async def _send_icon(self, request: web.Request) -> web.Response:
        return self._icon.response_to(request, {})

    async def _show(self, request: web.Request) -> web.Response:
        locale = language(request)
        found = await self._find(request)
        size = await self._picture_size(found.artifact) if found else None
        if found is None or size is None:
            return self._answer(self._not_found_page, {}, locale, HTTPStatus.NOT_FOUND)
        share, job = found.share, found.job
        has_poster = await self._poster_cache.make(job.id)
        fields = _fields(found, size, has_poster=has_poster)
        fields |= {
            "made_with": self._texts(f"origin.{made_with(job)}", locale),
            "until": self._texts("share.until", locale, date=_date(share.expires_at)),
        }
        return self._answer(self._page, fields, locale, HTTPStatus.OK)

    async def _send_video(self, request: web.Request) -> web.StreamResponse:
        found = await self._find(request)
        if found is None:
            raise web.HTTPNotFound
        headers = video_headers(found.job.request.prompt, inline=True)
        return await self._files.send_video(request, found.job.id, headers)

    async def _send_poster(self, request: web.Request) -> web.StreamResponse:
        found = await self._find(request)
        if found is None or not await self._poster_cache.make(found.job.id):
            raise web.HTTPNotFound
        headers: dict[str, str] = {hdrs.CONTENT_TYPE: "image/jpeg", hdrs.CACHE_CONTROL: "private"}
        return await self._files.send_poster(request, found.job.id, headers)

    async def _send_captions(self, request: web.Request) -> web.StreamResponse:
        found = await self._find(request)
        if found is None or not found.artifact.has_captions:
            raise web.HTTPNotFound
        return await self._files.send_captions(request, found.job.id, captions_headers())

    async def _find(self, request: web.Request) -> _SharedVideo | None:
        share = self._links.check_share_link(request.match_info["token"])
        artifact = await self._artifacts.get(share.job_id) if share else None
        if share is None or artifact is None or artifact.share_serial != share.serial:
            return None
        job = await self._jobs.get(share.job_id)
        if job is None or job.deleted_at is not None:
            return None
        return _SharedVideo(share=share, job=job, artifact=artifact)

    async def _picture_size(self, artifact: Artifact) -> tuple[int, int] | None:
        """Return the width and height, or None if the video is not kept or can't be read."""
        if artifact.width is not None and artifact.height is not None:
            is_kept = await self._workspace.has_video(artifact.job_id)
            return (artifact.width, artifact.height) if is_kept else None
        try:
            video = await self._workspace.fetch_video(artifact.job_id)
            info = await asyncio.to_thread(read_mp4, video)
        except FileStoreError:
            raise
        except (MediaError, OSError):
            return None
        return info.width, info.height

    def _answer(
        self, template: str, fields: Mapping[str, str], locale: str, status: HTTPStatus
    ) -> web.Response:
        known = {"language": self._texts.nearest(locale), **fields}
        page = fill(
            template, lambda name: known[name] if name in known else self._texts(name, locale)
        )
        return web.Response(
            text=page,
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers=self._headers,
        )


def _headers(store_origin: str) -> dict[str, str]:
    # The browser follows redirects to the store only if the policy names its origin.
    files = f"'self' {store_origin}".strip()
    policy = (
        f"default-src 'none'; media-src {files}; img-src {files}; style-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
    }


def _fields(video: _SharedVideo, size: tuple[int, int], *, has_poster: bool) -> dict[str, str]:
    share, prompt = video.share, video.job.request.prompt
    title = cut(prompt, _TITLE_CHARACTERS)
    description = cut(prompt, _DESCRIPTION_CHARACTERS)
    # The page's own URLs are relative, so that they work under any base address. The URLs in its
    # metadata are absolute, because other services read them.
    token = share.url.rpartition("/")[2]
    return {
        "title": title,
        "description": "" if description == title else description,
        "prompt": prompt,
        "url": share.url,
        "video": f"{share.url}/video.mp4",
        "poster": f"{share.url}/poster.jpg" if has_poster else "",
        "own_video": f"{token}/video.mp4",
        "own_poster": f"{token}/poster.jpg" if has_poster else "",
        "own_captions": f"{token}/captions.vtt" if video.artifact.has_captions else "",
        "width": str(size[0]),
        "height": str(size[1]),
    }


def _date(at: int) -> str:
    return datetime.fromtimestamp(at, tz=UTC).date().isoformat()
