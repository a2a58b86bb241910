"""`POST /operator/cancel/JOB`: cancels a job for the operator, who runs `python -m bot jobs`."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.links import derive_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.service import JobService

log = logging.getLogger(__name__)

CANCEL_PATH = "/operator/cancel/"
_SCHEME = "Operator "
_SECONDS = 60
_PROOF = re.compile(r"(?P<expires>[0-9]{1,12})\.(?P<mac>[\w-]{43})", re.ASCII)


class OperatorKey:
    """Proves that a request's sender knows DATA_DIR's secret, without sending the secret."""

    def __init__(self, secret: bytes, *, clock: Callable[[], float]) -> None:
        self._key = derive_key(secret, "operator")
        self._clock = clock

    def headers(self, job_id: str) -> dict[str, str]:
        """Return the header that proves a request about a job, and is valid for a minute."""
        expires = int(self._clock() + _SECONDS)
        return {hdrs.AUTHORIZATION: f"{_SCHEME}{expires}.{self._mac(job_id, expires)}"}

    def accepts(self, job_id: str, header: str) -> bool:
        """Tell whether a header proves a request about this job."""
        found = _PROOF.fullmatch(header.removeprefix(_SCHEME))
        if found is None:
            return False
        expires = int(found["expires"])
        genuine = hmac.compare_digest(self._mac(job_id, expires), found["mac"])
        return genuine and self._clock() < expires

    def _mac(self, job_id: str, expires: int) -> str:
        mac = hmac.digest(self._key, f"cancel|{job_id}|{expires}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


class OperatorRoutes:
    """Cancels jobs of any requester; requests from other machines get a 404."""

    def __init__(self, jobs: JobService, key: OperatorKey) -> None:
        self._jobs = jobs
        self._key = key

    @property
    def routes(self) -> list[web.RouteDef]:
        """The route that cancels a job."""
        return [web.post(CANCEL_PATH + "{job:[0-9a-f]{32}}", self._cancel)]

    async def _cancel(self, request: web.Request) -> web.Response:
        if not _is_local(request):
            raise web.HTTPNotFound
        job_id = request.match_info["job"]
        if not self._key.accepts(job_id, request.headers.get(hdrs.AUTHORIZATION, "")):
            raise web.HTTPUnauthorized
        job = await self._jobs.cancel(job_id)
        if job is None:
            raise web.HTTPConflict
        log.info("job.cancelled_by_operator id=%s", job_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)


def _is_local(request: web.Request) -> bool:
    """Tell whether a request was sent from this machine, and not by a proxy on it."""
    if request.transport is None or hdrs.X_FORWARDED_FOR in request.headers:
        return False
    peer, own = (request.transport.get_extra_info(name) for name in ("peername", "sockname"))
    # If HTTP_HOST is an address of the machine, its own requests come from that address.
    return bool(peer and own) and (peer[0] == own[0] or _is_loopback(peer[0]))


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
