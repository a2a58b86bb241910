"""Requests about a job's card that are authorised by its interaction's token."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, cast

import aiohttp
import discord

from bot.delivery.bot_requests import TIMEOUT
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bot.delivery.card_edits import Edit
    from bot.model import Job
    from bot.pacing import WatchedClock

log = logging.getLogger(__name__)

# A request must end before its token expires.
_MARGIN_SECONDS = 60.0
# A card that only its token can edit says so this long before the token expires.
_EXPIRY_NOTICE_SECONDS = 120.0
_HTTP_THROTTLED = 429
_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0


class ThrottledError(aiohttp.ClientError):
    """Discord accepts no requests with this token for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class InteractionTokens:
    """Fetches and edits cards by token; use it as `async with InteractionTokens(...)`.

    It has its own HTTP session: discord.py would sleep through a rate limit, and the next edit of
    the same card would have to wait for that.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        clock: WatchedClock,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._traces = [trace] if trace else []
        self._paused_until: dict[str, float] = {}
        self._unanswered: set[str] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=TIMEOUT,
            middlewares=(self._watch,),
            trace_configs=self._traces,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    def is_valid(self, job: Job) -> bool:
        """Tell whether the token is valid, and stays valid for another minute.

        While the clock is unsettled, only Discord can tell.
        """
        until = job.origin.token_until - _MARGIN_SECONDS
        may_be_valid = self._clock() < until or self._clock.is_unsettled
        return job.origin.token is not None and may_be_valid

    def is_throttled(self, job: Job) -> bool:
        """Tell whether the token is paused now."""
        return self._paused_until.get(job.id, -math.inf) > self._clock.steady()

    def is_unanswered(self, job: Job) -> bool:
        """Tell whether a request about the job's card has no answer from Discord yet."""
        return str(job.origin.message_id) in self._unanswered

    def pause(self, job: Job, seconds: float = _PAUSE_SECONDS) -> None:
        """Send no requests with a job's token for a while."""
        now = self._clock.steady()
        self._paused_until = {key: at for key, at in self._paused_until.items() if at > now}
        self._paused_until[job.id] = now + seconds

    async def fetch_answer(self, job: Job) -> discord.WebhookMessage:
        """Fetch the message that answers the job's interaction."""
        return await self._webhook(job).fetch_message(cast("int", "@original"))

    async def edit(self, edit: Edit) -> None:
        """Make an edit; ThrottledError: the token is rate-limited."""
        job = edit.job
        if self.is_throttled(job):
            raise ThrottledError(self._paused_until[job.id] - self._clock.steady())
        try:
            await self._webhook(job).edit_message(
                job.origin.message_id or 0,
                view=edit.view,
                attachments=edit.open_files(),
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except ThrottledError as error:
            log.info("token.throttled id=%s seconds=%.1f", job.id, error.seconds)
            self.pause(job, error.seconds)
            raise

    def _webhook(self, job: Job) -> discord.Webhook:
        return discord.Webhook.partial(
            job.origin.application_id,
            job.origin.token or "",
            client=self._client,
            session=self._session,
        )

    async def _watch(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        message_id = request.url.name
        self._unanswered.add(message_id)
        try:
            response = await handler(request)
        finally:
            self._unanswered.discard(message_id)
        if response.status == _HTTP_THROTTLED:
            response.close()
            raise ThrottledError(_retry_after(response))
        return response


def expiry_notice_at(job: Job) -> float | None:
    """Return when the card has to say that it can't be edited much longer, in Unix seconds.

    None: the card needs no such notice.
    """
    origin = job.origin
    is_open = job.state in CANCELLABLE or job.state is JobState.UNDECIDED
    if origin.bot_can_edit or origin.token is None or not is_open:
        return None
    return origin.token_until - _EXPIRY_NOTICE_SECONDS


def is_expiry_notice_due(job: Job, now: float) -> bool:
    """Tell whether the card has to say now that it can't be edited much longer."""
    at = expiry_notice_at(job)
    return at is not None and now >= at


def _retry_after(response: aiohttp.ClientResponse) -> float:
    try:
        seconds = float(response.headers.get("Retry-After", _PAUSE_SECONDS))
    except ValueError:
        seconds = _PAUSE_SECONDS
    return min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)
