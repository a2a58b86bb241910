"""Defines Discord's error responses, named as in Discord's documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ClapperError

if TYPE_CHECKING:
    from bot.demo.fake_discord.wire import Payload


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error response from Discord. `code` is Discord's own error code.

    `retry_after`: if not None, the response is about a rate limit that ends after this many
    seconds.
    `is_global`: whether that limit is on all requests with the bot's token.
    """

    status: int
    code: int
    message: str
    retry_after: float | None = None
    is_global: bool = False

    def body(self) -> Payload:
        """Return the JSON body of the response."""
        if self.retry_after is not None:
            return {
                "message": self.message,
                "retry_after": self.retry_after,
                "global": self.is_global,
            }
        return {"message": self.message, "code": self.code}


class RefusedError(ClapperError):
    """Raised to make the fake Discord respond to a request with `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status} {refusal.code}: {refusal.message}")
        self.refusal = refusal


UNAUTHORIZED = Refusal(401, 0, "401: Unauthorized")
EXPIRED_LINK = Refusal(404, 0, "This content is no longer available.")
UNKNOWN_APPLICATION = Refusal(404, 10002, "Unknown Application")
UNKNOWN_CHANNEL = Refusal(404, 10003, "Unknown Channel")
UNKNOWN_MEMBER = Refusal(404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = Refusal(404, 10008, "Unknown Message")
UNKNOWN_USER = Refusal(404, 10013, "Unknown User")
UNKNOWN_WEBHOOK = Refusal(404, 10015, "Unknown Webhook")
UNKNOWN_COMMAND = Refusal(404, 10063, "Unknown application command")
UNKNOWN_INTERACTION = Refusal(404, 10062, "Unknown interaction")
TOO_LARGE = Refusal(413, 40005, "Request entity too large")
ALREADY_ANSWERED = Refusal(400, 40060, "Interaction has already been acknowledged.")
MISSING_ACCESS = Refusal(403, 50001, "Missing Access")
ENTRY_POINT_MISSING = Refusal(
    400,
    50240,
    "You cannot remove this app's Entry Point command in a bulk update operation. Please include "
    "the Entry Point command in your update request or delete it separately.",
)
NOT_THE_AUTHOR = Refusal(403, 50005, "Cannot edit a message authored by another user")
MISSING_PERMISSIONS = Refusal(403, 50013, "Missing Permissions")
EMPTY_MESSAGE = Refusal(400, 50006, "Cannot send an empty message")
DM_CLOSED = Refusal(403, 50007, "Cannot send messages to this user")
INVALID_WEBHOOK_TOKEN = Refusal(401, 50027, "Invalid Webhook Token")
AUTOMOD = Refusal(400, 200_000, "Message was blocked by automatic moderation")
AUTOMOD_TITLE = Refusal(400, 200_001, "Title was blocked by automatic moderation")
HARMFUL_LINK = Refusal(400, 240_000, "Message blocked by harmful links filter")
NOT_JSON = Refusal(400, 50109, "The request body contains invalid JSON.")


def rate_limited(retry_after: float, *, is_global: bool = False) -> Refusal:
    """Return the response to a request that exceeds a rate limit.

    `retry_after`: the seconds until the limit ends.
    """
    return Refusal(429, 0, "You are being rate limited.", retry_after, is_global)


def server_error(status: int = 502) -> Refusal:
    """Return the response that Discord sends during an outage."""
    return Refusal(status, 0, f"{status}: Server Error")


def invalid_form(field: str, reason: str) -> RefusedError:
    """Return the error for a request whose body has an invalid `field`."""
    return RefusedError(Refusal(400, 50035, f"Invalid Form Body: {field}: {reason}"))
