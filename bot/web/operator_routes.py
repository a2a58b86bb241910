"""Handles requests from the operator's command line to the running bot."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import logging
import re
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.errors import UserError
from bot.links import derive_key
from storage.access.changes import change_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.jobs.costs.budgeting import Budgeting
    from bot.jobs.service import JobService
    from bot.library.take_down import TakeDown
    from storage.access.settings import AccessSettingsStore

log = logging.getLogger(__name__)

CANCEL_PATH = "/operator/cancel/"
ACCESS_PATH = "/operator/access"
REMOVE_PATH = "/operator/remove/"
GRANT_PATH = "/operator/grant/"
_SCHEME = "Operator "
_SECONDS = 60
_PROOF = re.compile(r"(?P<expires>[0-9]{1,12})\.(?P<mac>[\w-]{43})", re.ASCII)


class OperatorKey:
    """Signs and verifies requests from the command line.

    The signature proves that the sender knows the secret in DATA_DIR, without sending that secret.
    """

    def __init__(self, secret: bytes, *, clock: Callable[[], float]) -> None:
        self._key = derive_key(secret, "operator")
        self._clock = clock

    def headers(self, subject: str) -> dict[str, str]:
        """Return a header that signs `subject`, and authorises a request for a minute."""
        expires = int(self._clock() + _SECONDS)
        return {hdrs.AUTHORIZATION: f"{_SCHEME}{expires}.{self._mac(subject, expires)}"}

    def accepts(self, subject: str, header: str) -> bool:
        """Tell whether a request's header has a valid signature of `subject`."""
        found = _PROOF.fullmatch(header.removeprefix(_SCHEME))
        if found is None:
            return False
        expires = int(found["expires"])
        genuine = hmac.compare_digest(self._mac(subject, expires), found["mac"])
        return genuine and self._clock() < expires

    def _mac(self, subject: str, expires: int) -> str:
        mac = hmac.digest(self._key, f"{subject}|{expires}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def cancel_subject(job_id: str) -> str:
    """Return the subject that is signed for a request to cancel a job."""
    return f"cancel|{job_id}"


def access_subject(body: str) -> str:
    """Return the subject that is signed for a request to change an access setting."""
    return f"access|{body}"


def remove_subject(person: str) -> str:
    """Return the subject that is signed for a request to delete a person's videos."""
    return f"remove|{person}"


def grant_subject(order: str) -> str:
    """Return the subject that is signed for a request to raise a budget."""
    return f"grant|{order}"


class OperatorRoutes:
    """Handles requests from the command line. Requests from other machines get a 404 response.

    `take_down`: deletes a person's videos. It is None if this process is not connected to Discord.
    """

    def __init__(
        self,
        jobs: JobService,
        access: AccessSettingsStore,
        budgeting: Budgeting,
        take_down: TakeDown | None,
        key: OperatorKey,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._jobs = jobs
        self._access = access
        self._budgeting = budgeting
        self._take_down = take_down
        self._key = key
        self._clock = clock

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes for requests from the command line."""
        return [
            web.post(CANCEL_PATH + "{job:[0-9a-f]{32}}", self._cancel),
            web.post(ACCESS_PATH, self._change_access),
            web.post(REMOVE_PATH + "{person:[1-9][0-9]{0,18}}", self._remove),
            web.post(
                GRANT_PATH
                + "{person:[1-9][0-9]{0,18}}/{amount:[1-9][0-9]{0,11}}/{id:[0-9a-f]{32}}",
                self._grant,
            ),
        ]

    async def _cancel(self, request: web.Request) -> web.Response:
        job_id = request.match_info["job"]
        self._check(request, cancel_subject(job_id))
        job = await self._jobs.cancel(job_id)
        if job is None:
            raise web.HTTPConflict
        log.info("job.cancelled_by_operator id=%s", job_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _change_access(self, request: web.Request) -> web.Response:
        _check_local(request)
        body = await request.text()
        self._check(request, access_subject(body))
        try:
            change = change_from(body)
        except ValueError as error:
            raise web.HTTPBadRequest from error
        outcome = await self._access.change(change, actor=None, now=self._clock())
        return web.json_response({"outcome": outcome.name})

    async def _remove(self, request: web.Request) -> web.Response:
        person = request.match_info["person"]
        self._check(request, remove_subject(person))
        if self._take_down is None:
            raise web.HTTPConflict
        done = await self._take_down.remove(int(person), actor=None)
        return web.json_response(asdict(done))

    async def _grant(self, request: web.Request) -> web.Response:
        person, amount, grant_id = (request.match_info[each] for each in ("person", "amount", "id"))
        self._check(request, grant_subject(f"{person}/{amount}/{grant_id}"))
        try:
            raised = await self._budgeting.grant(
                int(person), int(amount), grant_id=grant_id, actor=None
            )
        except UserError as error:
            raise web.HTTPConflict(text=error.key) from error
        return web.json_response({"spent": raised.spent.amount, "budget": raised.budget.amount})

    def _check(self, request: web.Request, subject: str) -> None:
        _check_local(request)
        if not self._key.accepts(subject, request.headers.get(hdrs.AUTHORIZATION, "")):
            raise web.HTTPUnauthorized


def _check_local(request: web.Request) -> None:
    if not _is_local(request):
        raise web.HTTPNotFound


def _is_local(request: web.Request) -> bool:
    """Tell whether a request was sent from this machine, and not through a proxy."""
    if request.transport is None or hdrs.X_FORWARDED_FOR in request.headers:
        return False
    peer, own = (request.transport.get_extra_info(name) for name in ("peername", "sockname"))
    # If HTTP_HOST is an address of this machine, requests from this machine come from that address.
    return bool(peer and own) and (peer[0] == own[0] or _is_loopback(peer[0]))


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
