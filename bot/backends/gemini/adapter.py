"""The adapter for Gemini Omni's Interactions API.

The API has no list of jobs and no signed webhooks.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.backends.base import BackendUpdate, Listing, RemoteState, Webhook
from bot.backends.capabilities import GEMINI, Capabilities
from bot.backends.gemini import answers
from bot.backends.gemini.formats import response_format
from bot.backends.provider_api import ProviderApi
from bot.backends.responses import error_kinds
from bot.backends.responses.clip_links import INLINE
from bot.backends.transport.base import Request, Timeouts
from bot.backends.transport.origins import InvalidUrlError, origin_of, sendable
from bot.backends.transport.plain_http import HttpTransport
from bot.errors import BackendError, ErrorKind, StartupError, WebhookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bot.backends.base import AnsweredJob, StatusPage, VoiceSound
    from bot.backends.transport.base import Endpoint
    from bot.media.mp4.reader import VideoInfo
    from bot.model import VideoRequest

log = logging.getLogger(__name__)

_CANCELLED = frozenset({"cancelled", "canceled"})


@dataclass(kw_only=True, eq=False)
class Gemini:
    """The adapter for the Gemini API.

    `base_url`: the server's address without `/v1`.
    `result_origins`: the origins from which videos may be downloaded, besides the server and public
    addresses.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    name: str = "gemini"
    result_origins: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    clock: Callable[[], float] = time.time
    capabilities: Capabilities = GEMINI

    def __post_init__(self) -> None:
        self._api = ProviderApi(
            name=self.name,
            base_url=self.base_url,
            open_transport=self._open_transport,
            secret=self.api_key,
            result_origins=self.result_origins,
            timeouts=self.timeouts,
            clock=self.clock,
            has_exact_lengths=lambda: self.capabilities.has_exact_lengths,
            translate=answers.GeminiAnswers(base_url=self.base_url),
        )

    async def check_model(self, model: str) -> None:
        """Check the API key and the model with a request that costs nothing.

        Raises BackendError of kind AUTH if the key is refused, and of kind GONE if the model
        doesn't exist.
        """
        path = f"/v1/models/{quote(model, safe='')}"
        reply = await self._api.ask(Request(method="GET", url=path))
        if not reply.ok:
            raise error_kinds.of_job(reply.status, reply.answer, retry_after=reply.retry_after)

    async def submit(
        self,
        request: VideoRequest,
        *,
        create_key: str,  # noqa: ARG002 - the API has no idempotency key
        voice: VoiceSound | None = None,  # noqa: ARG002 - the API accepts no audio
    ) -> BackendUpdate:
        """Order the video with exactly one POST.

        The response may report that the video is already finished. Google stores the interaction,
        and the clip is always downloaded by the interaction's id. A restart of the bot therefore
        loses nothing.
        """
        try:
            shape = response_format(seconds=request.seconds, size=request.size)
        except StartupError as error:  # the settings may have changed since the job was created
            raise BackendError(ErrorKind.INVALID, str(error)) from error
        return await self._api.submit(
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
        """Return the state of the interaction and of its video file."""
        update = await self._api.poll(_path(ref), ref)
        path = self._own_path(update.result_url)
        file = answers.file_in(path) if path else None
        if file is None or update.state is not RemoteState.DONE:
            return update
        metadata, content = file
        return await self._with_file_state(replace(update, result_url=content), metadata)

    async def list_statuses(
        self,
        after: str | None,  # noqa: ARG002 - there is no list
    ) -> StatusPage | None:
        """Return None, because the API has no list of jobs."""
        return None

    async def fetch(self, update: BackendUpdate, sink: Path, *, max_bytes: int) -> VideoInfo | None:
        """Download the clip to `sink`.

        If there is no stored file, the clip is taken from the interaction itself.
        """
        link = None if update.result_url == INLINE else update.result_url
        path = _path(update.ref) if link is None else self._own_path(link)
        elsewhere = link if path is None else None
        return await self._api.fetch(path, elsewhere, sink, max_bytes=max_bytes)

    async def find(
        self,
        request: VideoRequest | None,  # noqa: ARG002 - nothing can be compared with it
        *,
        hints: tuple[str, ...] = (),  # noqa: ARG002 - there are no webhooks
        answered: tuple[AnsweredJob, ...] = (),  # noqa: ARG002 - there is no list to show them
    ) -> Listing:
        """Return an empty list that is marked as incomplete.

        The API has no list of jobs, so there is nothing to search.
        """
        return Listing(refs=(), complete=False)

    async def cancel(self, ref: str) -> bool:
        """Cancel the interaction.

        Returns True only if the server says that the interaction is cancelled.
        """
        try:
            reply = await self._api.ask(
                Request(method="POST", url=f"{_path(ref)}/cancel", follow_redirects=False)
            )
        except BackendError as error:
            log.info("backend.cancel_failed backend=%s kind=%s", self.name, error.kind)
            return False
        return reply.ok and reply.job is not None and reply.job.status in _CANCELLED

    def check_webhook(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - every webhook is refused
        *,
        now: float,  # noqa: ARG002 - same
    ) -> None:
        """Refuse every webhook, because this API's webhooks can't be verified."""
        raise WebhookError("webhooks of this backend can't be checked")

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        body: bytes,  # noqa: ARG002 - every webhook is refused
        *,
        now: float,
        sent: bytes | None = None,  # noqa: ARG002 - same
    ) -> Webhook | None:
        """Refuse every webhook, because this API's webhooks can't be verified."""
        self.check_webhook(headers, now=now)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _with_file_state(self, update: BackendUpdate, metadata: str) -> BackendUpdate:
        # An interaction may be completed before its file can be downloaded.
        try:
            reply = await self._api.ask(Request(method="GET", url=metadata))
        except BackendError:
            return update
        match answers.file_state_in(reply.answer):
            case "PROCESSING":
                return replace(update, state=RemoteState.RUNNING)
            case "FAILED":
                error = BackendError(ErrorKind.INTERNAL, "the provider failed to store the video")
                return replace(update, state=RemoteState.FAILED, error=error)
            case _:
                return update

    def _own_path(self, link: str | None) -> str | None:
        """Return a link's path below the base URL.

        Returns None if the link is invalid or leads to another server.
        """
        if link is None or link == INLINE:
            return None
        if link.startswith("/"):
            return link
        try:
            is_ours = origin_of(link) == origin_of(self.base_url)
        except InvalidUrlError:
            return None
        path, base = sendable(link).raw_path_qs, sendable(self.base_url).raw_path.rstrip("/")
        return path.removeprefix(base) if is_ours and path.startswith(f"{base}/") else None

    def _open_transport(self, endpoint: Endpoint) -> HttpTransport:
        key = {"x-goog-api-key": self.api_key} if self.api_key else {}
        return HttpTransport(endpoint, credentials=key)


def _path(ref: str) -> str:
    return f"/v1/interactions/{quote(ref, safe='')}"
