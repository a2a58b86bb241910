"""Handles the HTTP API: accepts orders for videos, reports their status, and sends files."""

from __future__ import annotations

import logging
import re
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.api_clients.status import PublicStatus, public_job
from bot.delivery.views.made_with import made_with
from bot.media.files.stores.remote_file import RemoteFile
from bot.model import JobState
from bot.web.api.order_body import check_version
from bot.web.http.error_response import ApiError, language
from bot.web.http.file_response import (
    captions_headers,
    is_intact,
    open_file,
    send_file,
    send_stored,
    video_headers,
)

if TYPE_CHECKING:
    from typing import BinaryIO

    from bot.api_clients.client_jobs import ClientJobs
    from bot.api_clients.status import PublicJob
    from bot.artifacts import Artifact
    from bot.events import JobFeed
    from bot.library.retention import Retention
    from bot.links import Links
    from bot.media.render.poster_cache import PosterCache
    from bot.model import Job
    from bot.texts import Texts
    from bot.web.api.access import Access
    from bot.web.api.order_body import OrderReader

log = logging.getLogger(__name__)

_JOB_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PAGE_SIZE = 20
_POSTER_HEADERS: dict[str, str] = {
    hdrs.CONTENT_TYPE: "image/jpeg",
    hdrs.CACHE_CONTROL: "private, no-cache",
}
_OPENAPI_FILE = Path(__file__).with_name("openapi.json")


class ApiRoutes:
    """Handles API requests. Each client can only access its own jobs."""

    def __init__(
        self,
        clients: ClientJobs,
        order_reader: OrderReader,
        access: Access,
        texts: Texts,
        *,
        links: Links,
        poster_cache: PosterCache,
        retention: Retention,
        feed: JobFeed,
    ) -> None:
        self._clients = clients
        self._retention = retention
        self._feed = feed
        self._links = links
        self._poster_cache = poster_cache
        self._order_reader = order_reader
        self._access = access
        self._texts = texts
        self._openapi = _OPENAPI_FILE.read_text(encoding="utf-8")

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes of the API."""
        authenticated = self._access.authenticated
        return [
            web.post("/api/generate", authenticated(self._generate)),
            web.get("/api/upload", authenticated(self._check_upload)),
            web.get("/api/status", authenticated(self._status)),
            web.get("/api/download", authenticated(self._download)),
            web.get("/api/poster", authenticated(self._poster)),
            web.get("/api/captions", authenticated(self._captions)),
            web.get("/api/jobs", authenticated(self._jobs)),
            web.delete("/api/jobs", authenticated(self._delete)),
            web.post("/api/cancel", authenticated(self._cancel)),
            web.post("/api/retry", authenticated(self._retry)),
            web.post("/api/share", authenticated(self._share)),
            web.delete("/api/share", authenticated(self._withdraw)),
            web.get("/api/openapi.json", self._access.public(self._send_openapi)),
        ]

    async def _generate(self, request: web.Request, client: str) -> web.Response:
        key = _key(request)
        order = await self._order_reader.read(request, client, key=key)
        job = await self._clients.submit(client, order.script, order.upload, key=key)
        return web.json_response({"jobId": job.id})

    async def _check_upload(self, request: web.Request, client: str) -> web.Response:
        await self._clients.check_upload(client, key=_key(request))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _status(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        public_job = await self._public_job(job, language(request))
        return web.json_response(public_job.as_json())

    async def _download(self, request: web.Request, client: str) -> web.StreamResponse:
        job = await self._job(request, client)
        artifact = await self._finished(job, request)
        file = await self._open_video(job, artifact)
        headers = video_headers(job.request.prompt)
        on_sent = partial(self._record_download, job)
        if isinstance(file, RemoteFile):
            return await send_stored(request, file, headers, on_sent=on_sent)
        with file:
            return await send_file(request, file, headers, on_sent=on_sent)

    async def _open_video(self, job: Job, artifact: Artifact) -> BinaryIO | RemoteFile:
        try:
            found = await self._clients.find_video(job)
            if not await is_intact(found, artifact.size):
                log.error("download.unreadable id=%s", job.id)
                raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "api.unreadable")
            return found if isinstance(found, RemoteFile) else await open_file(found)
        except FileNotFoundError:
            raise ApiError(HTTPStatus.GONE, "api.expired") from None

    async def _record_download(self, job: Job) -> None:
        try:
            await self._clients.mark_downloaded(job)
        except Exception:  # the response has already been sent, so the error is only logged
            log.exception("download.not_noted id=%s", job.id)

    async def _poster(self, request: web.Request, client: str) -> web.StreamResponse:
        job = await self._job(request, client)
        await self._finished(job, request)
        poster = await self._poster_cache.get(job.id)
        try:
            file = await open_file(poster) if poster else None
        except FileNotFoundError:  # the file was deleted in the meantime
            file = None
        if file is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "api.no_poster")
        with file:
            return await send_file(request, file, _POSTER_HEADERS)

    async def _captions(self, request: web.Request, client: str) -> web.StreamResponse:
        job = await self._job(request, client)
        artifact = await self._finished(job, request)
        if not artifact.has_captions:
            raise ApiError(HTTPStatus.NOT_FOUND, "api.no_captions")
        try:
            file = await open_file(await self._clients.fetch_captions(job))
        except FileNotFoundError:
            raise ApiError(HTTPStatus.GONE, "api.expired") from None
        with file:
            return await send_file(request, file, captions_headers())

    async def _jobs(self, request: web.Request, client: str) -> web.Response:
        before = request.query.get("before")
        if before is not None:
            before = _valid_job_id(before)
        jobs = await self._clients.page(client, before=before, limit=_PAGE_SIZE)
        locale = language(request)
        return web.json_response({"jobs": [await self._entry(job, locale) for job in jobs]})

    async def _delete(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        if not await self._retention.mark_deleted(job.id):
            raise ApiError(HTTPStatus.CONFLICT, "reply.still_open")
        self._feed.on_job_deleted(job)
        await self._retention.delete_content(job.id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _cancel(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        cancelled = await self._clients.cancel(job)
        if cancelled is None:
            raise ApiError(HTTPStatus.CONFLICT, "reply.too_late")
        public_job = await self._public_job(cancelled, language(request))
        return web.json_response(public_job.as_json())

    async def _retry(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        retried = await self._clients.retry(job)
        if retried is None:
            raise ApiError(HTTPStatus.CONFLICT, "api.no_question")
        public_job = await self._public_job(retried, language(request))
        return web.json_response(public_job.as_json())

    async def _share(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        artifact = await self._finished(job, request)
        if not self._links.enabled:
            raise ApiError(HTTPStatus.CONFLICT, "api.no_address")
        # Create the poster now, so that it is ready when a chat shows a preview of the link.
        await self._poster_cache.make(job.id)
        share = self._links.share(job.id, serial=artifact.share_serial)
        return web.json_response({"url": share.url, "expiresAt": share.expires_at})

    async def _withdraw(self, request: web.Request, client: str) -> web.Response:
        job = await self._job(request, client)
        await self._clients.withdraw_shares(job)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _public_job(self, job: Job, locale: str) -> PublicJob:
        is_queued = job.state is JobState.QUEUED
        trouble = await self._clients.circuit.refresh() if is_queued else None
        return public_job(job, self._texts, locale, trouble=trouble)

    async def _finished(self, job: Job, request: web.Request) -> Artifact:
        public_job = await self._public_job(job, language(request))
        if public_job.status is PublicStatus.FAILED:
            raise ApiError(HTTPStatus.CONFLICT, "api.no_video", reason=public_job.error)
        if public_job.status is not PublicStatus.COMPLETED:
            raise ApiError(HTTPStatus.CONFLICT, "api.not_ready")
        artifact = await self._clients.artifact(job)
        if artifact is None:
            raise ApiError(HTTPStatus.GONE, "api.expired")
        return artifact

    async def _send_openapi(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=self._openapi, content_type="application/json")

    async def _job(self, request: web.Request, client: str) -> Job:
        check_version(request.query.get("renderVersion"))
        given = request.query.get("jobId")
        if given is None:
            raise ApiError(HTTPStatus.BAD_REQUEST, "api.no_job_id")
        job = await self._clients.get(client, _valid_job_id(given))
        if job is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "api.unknown_job")
        return job

    async def _entry(self, job: Job, locale: str) -> dict[str, object]:
        public_job = await self._public_job(job, locale)
        artifact = made = None
        if public_job.status is PublicStatus.COMPLETED:
            artifact = await self._clients.artifact(job)
            made = self._texts(f"origin.{made_with(job)}", locale)
        return {
            "jobId": job.id,
            "scriptOrQuestion": job.request.prompt,
            "createdAt": int(job.created_at),
            "narrated": job.attachment is not None,
            "note": self._texts(job.note, locale) if job.note else None,
            "madeWith": made,
            "size": artifact.size if artifact else None,
            "captions": artifact is not None and artifact.has_captions,
            **public_job.as_json(),
        }


def _key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise ApiError(HTTPStatus.BAD_REQUEST, "api.bad_key")
    return key


def _valid_job_id(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise ApiError(HTTPStatus.NOT_FOUND, "api.unknown_job")
    return job_id
