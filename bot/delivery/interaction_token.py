"""Fetches and edits a job's card with the token of the job's interaction."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import discord
from discord.http import Route, handle_message_parameters

from bot.delivery.requests.route_limits import PAUSE_SECONDS, ThrottledError
from bot.model import CANCELLABLE, JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.delivery.requests.discord_requests import DiscordRequests
    from bot.model import Job
    from bot.pacing import WatchedClock

log = logging.getLogger(__name__)

# A request is not started if its token expires within this time.
_MARGIN_SECONDS = 60.0
# A card that can be edited only with an interaction's token shows a notice this long before the
# token expires.
_EXPIRY_NOTICE_SECONDS = 120.0
_MESSAGE = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


class InteractionTokens:
    """Uses the token of a card's interaction to fetch or edit the card.

    Its methods raise the exceptions of `DiscordRequests.send`.
    """

    def __init__(self, requests: DiscordRequests, *, clock: WatchedClock) -> None:
        self._requests = requests
        self._clock = clock
        self._paused_until: dict[str, float] = {}
        self._unanswered: set[str] = set()

    def is_valid(self, job: Job) -> bool:
        """Tell whether the job's token will still be valid in a minute.

        While the clock may be wrong, every stored token counts as valid, because only Discord can
        tell.
        """
        until = job.origin.token_until - _MARGIN_SECONDS
        may_be_valid = self._clock() < until or self._clock.is_unsettled
        return job.origin.token is not None and may_be_valid

    def is_throttled(self, job: Job) -> bool:
        """Tell whether requests with the job's token are paused."""
        return self._paused_until.get(job.id, -math.inf) > self._clock.steady()

    def is_unanswered(self, job: Job) -> bool:
        """Tell whether a request about the job's card was sent and has no response yet."""
        return job.id in self._unanswered

    def pause(self, job: Job, seconds: float = PAUSE_SECONDS) -> None:
        """Send no requests with a job's token for a while."""
        now = self._clock.steady()
        self._paused_until = {key: at for key, at in self._paused_until.items() if at > now}
        self._paused_until[job.id] = now + seconds

    async def fetch_original_response(self, job: Job) -> dict[str, Any]:
        """Return the message that answered the job's interaction, as JSON from Discord's API."""
        return await self._requests.send(_route("GET", job, "@original"))

    async def edit(
        self,
        job: Job,
        view: discord.ui.LayoutView,
        open_files: Callable[[], Sequence[discord.File]],
    ) -> None:
        """Replace the content of the job's card with `view` and the files from `open_files`."""
        if self.is_throttled(job):
            raise ThrottledError(self._paused_until[job.id] - self._clock.steady())
        self._unanswered.add(job.id)
        try:
            await edit_message_at(
                self._requests,
                _route("PATCH", job, str(job.origin.message_id or 0)),
                view,
                open_files(),
            )
        except ThrottledError as error:
            log.info("token.throttled id=%s seconds=%.1f", job.id, error.seconds)
            raise
        finally:
            self._unanswered.discard(job.id)


async def edit_message_at(
    requests: DiscordRequests,
    route: Route,
    view: discord.ui.LayoutView,
    files: Sequence[discord.File],
) -> None:
    """Replace the content of the message at `route`, whose path contains an interaction's token."""
    with handle_message_parameters(
        view=view, attachments=files, allowed_mentions=discord.AllowedMentions.none()
    ) as message:
        await requests.send(route, message)


def webhook_message_route(method: str, application_id: int, token: str, message_id: str) -> Route:
    """Return the route to a message that was posted with an interaction's token."""
    return Route(
        method, _MESSAGE, webhook_id=application_id, webhook_token=token, message_id=message_id
    )


def _route(method: str, job: Job, message_id: str) -> Route:
    return webhook_message_route(
        method, job.origin.application_id, job.origin.token or "", message_id
    )


def expiry_notice_at(job: Job) -> float | None:
    """Return the Unix time at which the card should show the expiry notice, or None for no notice.

    The notice says that the card can soon no longer be edited.
    """
    origin = job.origin
    is_open = job.state in CANCELLABLE or job.state is JobState.UNDECIDED
    editable = origin.bot_can_edit and not origin.bot_access_unproven
    if editable or origin.token is None or not is_open:
        return None
    return origin.token_until - _EXPIRY_NOTICE_SECONDS


def is_expiry_notice_due(job: Job, now: float) -> bool:
    """Tell whether the card has to show the expiry notice now."""
    at = expiry_notice_at(job)
    return at is not None and now >= at
