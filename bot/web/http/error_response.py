"""Builds the API's error responses: `{"error": {"key", "message"}}`, with an id of the request."""

from __future__ import annotations

import logging
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from bot.api_clients.status import sentence_in_utc
from bot.errors import ClapperError, FileStoreError, UserError
from bot.texts import Moment
from bot.web.http.middleware import is_caller_fault, request_id
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.texts import Texts

log = logging.getLogger(__name__)

_STATUSES = {
    "caps.user": HTTPStatus.TOO_MANY_REQUESTS,
    "caps.all": HTTPStatus.TOO_MANY_REQUESTS,
    "caps.day": HTTPStatus.TOO_MANY_REQUESTS,
    "caps.client_day": HTTPStatus.TOO_MANY_REQUESTS,
    "access.paused": HTTPStatus.SERVICE_UNAVAILABLE,
    "access.paused_until": HTTPStatus.SERVICE_UNAVAILABLE,
    "budget.day": HTTPStatus.TOO_MANY_REQUESTS,
    "budget.month": HTTPStatus.TOO_MANY_REQUESTS,
    "budget.server": HTTPStatus.TOO_MANY_REQUESTS,
    "api.uploads": HTTPStatus.TOO_MANY_REQUESTS,
    "api.no_space": HTTPStatus.SERVICE_UNAVAILABLE,
    "api.key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "speech.busy": HTTPStatus.TOO_MANY_REQUESTS,
    "speech.user": HTTPStatus.TOO_MANY_REQUESTS,
    "speech.day": HTTPStatus.TOO_MANY_REQUESTS,
    "speech.refused": HTTPStatus.INTERNAL_SERVER_ERROR,
    "speech.unusable": HTTPStatus.SERVICE_UNAVAILABLE,
    "speech.unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "speech.unchecked": HTTPStatus.SERVICE_UNAVAILABLE,
    "speech.unsure": HTTPStatus.SERVICE_UNAVAILABLE,
    "api.provider_auth": HTTPStatus.INTERNAL_SERVER_ERROR,
    "api.provider_balance": HTTPStatus.INTERNAL_SERVER_ERROR,
    "api.provider_setup": HTTPStatus.INTERNAL_SERVER_ERROR,
}
_KEPT_HEADERS = ("Accept-Encoding", "Allow", "Content-Range", "Retry-After")
# The locale keys for errors with which aiohttp itself refuses requests.
_KEYS = {
    HTTPStatus.NOT_FOUND: "api.no_route",
    HTTPStatus.METHOD_NOT_ALLOWED: "api.no_method",
    HTTPStatus.REQUEST_TIMEOUT: "api.too_slow",
    HTTPStatus.PRECONDITION_FAILED: "api.changed",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "api.no_part",
    HTTPStatus.TOO_MANY_REQUESTS: "api.too_many",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "api.too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "api.compressed",
    HTTPStatus.SERVICE_UNAVAILABLE: "api.unavailable",
}


class ApiError(ClapperError):
    """A refusal with an HTTP status.

    `key`: the locale key of the sentence that explains the refusal.
    `fields`: the values that are filled into the sentence.
    """

    def __init__(self, status: HTTPStatus, key: str, **fields: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.fields = fields


class ErrorResponses:
    """Turns exceptions into error responses in the caller's language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def response_to(self, error: Exception, request: web.Request) -> web.Response:
        """Return the response to a request that failed with `error`.

        An error that indicates a bug is logged.
        """
        incident = request_id(request)
        match error:
            case ApiError():
                status, key, fields = error.status, error.key, error.fields
            case UserError():
                status = _STATUSES.get(error.key, HTTPStatus.BAD_REQUEST)
                key, fields = error.key, error.fields
            case web.HTTPException():
                status, fields = HTTPStatus(error.status), {}
                key = _KEYS.get(status, "api.bad_request")
            case StorageError():
                log.error("web.database_failed request=%s", incident, exc_info=error)
                status, key, fields = HTTPStatus.SERVICE_UNAVAILABLE, "api.unavailable", {}
            case FileStoreError():
                log.warning("web.store_failed request=%s error=%r", incident, str(error))
                status, key, fields = HTTPStatus.SERVICE_UNAVAILABLE, "api.unavailable", {}
            case _ if is_caller_fault(error, request):
                status, key, fields = HTTPStatus.BAD_REQUEST, "api.bad_request", {}
            case _:
                log.error("web.failed request=%s", incident, exc_info=error)
                status, key = HTTPStatus.INTERNAL_SERVER_ERROR, "error.internal"
                fields = {"incident": incident}
        message = sentence_in_utc(self._texts, key, language(request), fields)
        response = web.json_response(
            {"error": {"key": key, "message": message}, "requestId": incident}, status=status
        )
        if isinstance(error, web.HTTPException):
            response.headers.update(
                {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
            )
        if status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if retry_after := _retry_after(fields):
            response.headers["Retry-After"] = retry_after
        return response


def _retry_after(fields: Mapping[str, object]) -> str | None:
    match fields:
        case {"seconds": int(seconds)}:
            return str(seconds)
        case {"when": Moment(at)}:
            return formatdate(at, usegmt=True)
        case _:
            return None


def language(request: web.Request) -> str:
    """Return the language that the caller prefers."""
    return request.headers.get("Accept-Language", "en").partition(",")[0].partition(";")[0].strip()
