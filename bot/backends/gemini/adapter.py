"""Gemini Omni by the Interactions API: JSON, no list and no webhooks that we could check."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2

from bot.backends.base import BackendUpdate, Capabilities, Listing, RemoteState, Webhook
from bot.backends.gemini import answers
from bot.backends.gemini.formats import response_format
from bot.backends.provider_client import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.plain_http import HttpTransport
from bot.errors import BackendError, ErrorKind, StartupError, WebhookError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.transport.base import Endpoint
    from bot.model import VideoRequest

log = logging.getLogger(__name__)

_STOPPED = frozenset({"cancelled", "canceled"})


@dataclass(kw_only=True, eq=False)
class Gemini:
    """The Gemini API, or what speaks like it at `base_url`, which ends before `/v1`.

    Results come from the server, from public addresses, or from `result_origins`.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    name: str = "gemini"
    result_origins: tuple[str, ...] = ()
    patience: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext = field(default_factory=httpx2.create_ssl_context, repr=False)
    clock: Callable[[], float] = time.time
    capabilities: Capabilities = field(default_factory=Capabilities, init=False)

    def __post_init__(self) -> None:
        self._base = httpx2.URL(self.base_url)
        self._exchange = ProviderApi(
            name=self.name,
            base_url=self.base_url,
            open_wire=self._open_wire,
            secret=self.api_key,
            result_origins=self.result_origins,
            patience=self.patience,
            tls=self.tls,
            clock=self.clock,
            translate=answers.GeminiAnswers(base_url=self.base_url),
        )

    async def check_model(self, model: str) -> None:
        """Ask about a model, which costs nothing; BackendError: AUTH the key, GONE the model."""
        path = f"/v1/models/{quote(model, safe='')}"
        reply = await self._exchange.ask(Request(method="GET", url=path))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def submit(
        self,
        request: VideoRequest,
        *,
        create_key: str,  # noqa: ARG002 - there is no header for it
    ) -> BackendUpdate:
        """Ask for the video with exactly one POST; its answer may already be the end.

        It is stored there: whatever is in this answer, the clip is fetched by its id, so that a
        restart loses nothing.
        """
        try:
            shape = response_format(seconds=request.seconds, size=request.size)
        except StartupError as error:  # a job from before the settings were changed
            raise BackendError(ErrorKind.INVALID, str(error)) from error
        return await self._exchange.submit(
            Request(
                method="POST",
                url="/v1/interactions",
                body={
                    "model": request.model,
                    "input": request.prompt,
                    "background": True,
                    "store": True,
                    "response_format": shape,
                },
                follow_redirects=False,
            )
        )

    async def poll(self, ref: str) -> BackendUpdate:
        """Tell how the interaction stands, and the file that it has become."""
        update = await self._exchange.poll(_path(ref), ref)
        path = self._own_path(update.result_url)
        file = answers.file_in(path) if path else None
        if file is None or update.state is not RemoteState.DONE:
            return update
        described, content = file
        return await self._as_far_as_file(replace(update, result_url=content), described)

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> None:
        """Stream the video into `sink`: from its file, or out of the interaction itself."""
        link = update.result_url
        path = _path(update.ref) if link is None else self._own_path(link)
        elsewhere = link if path is None else None
        await self._exchange.fetch(path, elsewhere, sink, max_bytes=max_bytes)

    async def find(
        self,
        request: VideoRequest,  # noqa: ARG002 - nothing can be compared with it
        *,
        since: float,  # noqa: ARG002 - same
        hints: tuple[str, ...] = (),  # noqa: ARG002 - they are from webhooks
    ) -> Listing:
        """Tell that nothing is known: there is no list, and no reference of ours that is kept."""
        return Listing(refs=(), complete=False)

    async def cancel(self, ref: str) -> bool:
        """Stop the interaction; True only if the server says that it is cancelled."""
        try:
            reply = await self._exchange.ask(
                Request(method="POST", url=f"{_path(ref)}/cancel", follow_redirects=False)
            )
        except BackendError as error:
            log.info("backend.cancel_failed backend=%s kind=%s", self.name, error.kind)
            return False
        return reply.ok and reply.job is not None and reply.job.word in _STOPPED

    def parse_webhook(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - none is believed
        body: bytes,  # noqa: ARG002 - same
        *,
        now: float,  # noqa: ARG002 - same
    ) -> Webhook | None:
        """Refuse it: news come by asking."""
        raise WebhookError("webhooks of this backend can't be checked")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._exchange.close()

    async def _as_far_as_file(self, update: BackendUpdate, described: str) -> BackendUpdate:
        # An interaction may be completed while its file can't be fetched yet.
        try:
            reply = await self._exchange.ask(Request(method="GET", url=described))
        except BackendError:
            return update
        match answers.state_in(reply.answer):
            case "PROCESSING":
                return replace(update, state=RemoteState.RUNNING)
            case "FAILED":
                error = BackendError(ErrorKind.INTERNAL, "the file of the video has failed")
                return replace(update, state=RemoteState.FAILED, error=error)
            case _:
                return update

    def _own_path(self, link: str | None) -> str | None:
        """Return where this is below our base; None: it is somewhere else, or nowhere."""
        if link is None or link.startswith("/"):
            return link
        try:
            url = httpx2.URL(link)
        except httpx2.InvalidURL:
            return None
        path, base = url.raw_path.decode("ascii"), self._base.path.rstrip("/")
        below = url.origin == self._base.origin and path.startswith(f"{base}/")
        return path.removeprefix(base) if below else None

    def _open_wire(self, ends: Endpoint) -> HttpTransport:
        key = {"x-goog-api-key": self.api_key} if self.api_key else {}
        return HttpTransport(replace(ends, clips_inside=True), credentials=key)


def _path(ref: str) -> str:
    return f"/v1/interactions/{quote(ref, safe='')}"
