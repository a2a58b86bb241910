"""Handles the requests of a connection, without logging what callers send."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from aiohttp.web_request import BaseRequest

log = logging.getLogger(__name__)


class QuietHandler(web.RequestHandler):
    """Responds to malformed requests, without quoting them in the response or in the log."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to a request that could not be parsed, or whose handler failed."""
        if not _is_malformed(exc):
            return super().handle_error(request, status, exc, message)
        log.warning("web.malformed error=%s", type(exc).__name__)
        response = web.Response(status=400, text="bad request\n")
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 - as in aiohttp
        """Log an error that no handler caught, such as a malformed end of a body."""
        error = kw.get("exc_info")
        if _is_malformed(error):
            log.warning("web.malformed error=%s", type(error).__name__)
        else:
            super().log_exception(*args, **kw)


def _is_malformed(error: object) -> bool:
    return isinstance(error, HttpProcessingError | web.RequestPayloadError)
