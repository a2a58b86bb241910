"""Responds to interactions that discord.py can't parse, so that people don't wait in vain."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord.http import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.texts import Texts

log = logging.getLogger(__name__)

_AUTOCOMPLETE = discord.InteractionType.autocomplete.value
#: discord.py passes interactions of these types to commands, buttons and forms.
HANDLED_TYPES = frozenset(
    {
        discord.InteractionType.application_command.value,
        discord.InteractionType.component.value,
        discord.InteractionType.modal_submit.value,
        _AUTOCOMPLETE,
    }
)
_LONGEST_TOKEN = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableInteraction:
    """The fields of an interaction that are needed to respond to it.

    `locale` is "" if unknown.
    """

    id: int
    token: str
    kind: int
    locale: str = ""

    async def answer(self, client: discord.Client, texts: Texts) -> None:
        """Respond privately that the interaction failed.

        An autocompletion gets an empty list instead. If responding fails, the error is only logged.
        """
        route = Route(
            "POST",
            "/interactions/{interaction_id}/{interaction_token}/callback",
            interaction_id=self.id,
            interaction_token=self.token,
        )
        log.info("interaction.unreadable id=%d", self.id)
        try:
            await client.http.request(route, json=self._callback(texts))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("interaction.unanswered id=%d error=%s", self.id, type(error).__name__)

    def _callback(self, texts: Texts) -> Mapping[str, Any]:
        if self.kind == _AUTOCOMPLETE:
            kind = discord.InteractionResponseType.autocomplete_result
            return {"type": kind.value, "data": {"choices": []}}
        return {
            "type": discord.InteractionResponseType.channel_message.value,
            "data": {
                "content": texts("error.internal", self.locale, incident=str(self.id)),
                "flags": discord.MessageFlags(ephemeral=True).value,
                "allowed_mentions": {"parse": []},
            },
        }


def unreadable_interaction(data: object) -> UnreadableInteraction | None:
    """Return the fields needed for a response, or None if the id or the token is unusable."""
    match data:
        case {"id": str() | int() as given, "token": str(token)}:
            pass
        case _:
            return None
    number = str(given)
    is_id = number.isascii() and number.isdigit() and len(number) <= 20  # noqa: PLR2004 - 64 bits
    if not is_id or not token or len(token) > _LONGEST_TOKEN:
        return None
    fields: Mapping[str, object] = data  # pyright: ignore[reportAssignmentType] - JSON has strings as keys
    kind, locale = fields.get("type"), fields.get("locale")
    return UnreadableInteraction(
        id=int(number),
        token=token,
        kind=kind if isinstance(kind, int) else 0,
        locale=locale if isinstance(locale, str) else "",
    )
