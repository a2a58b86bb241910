"""Keeps the interactions of users (slash commands, clicks and forms) with their tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import (
    ALREADY_ANSWERED,
    INVALID_WEBHOOK_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_WEBHOOK,
    RefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.demo.fake_discord.state.channel import Channel
    from bot.demo.fake_discord.state.limits import DiscordLimits
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.user import User
    from bot.demo.fake_discord.wire import Payload, Snowflakes


class InteractionKind(IntEnum):
    """The type of an interaction, with the number that Discord uses for it."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


@dataclass(kw_only=True, slots=True, eq=False)
class Interaction:
    """A slash command, click or form of a user. Times are in Unix seconds.

    `owners`: the `authorizing_integration_owners` in Discord's interaction object.
    `source`: the message that was clicked.
    `form`: the interaction to which the bot responded with the form.
    `answer`: the type of the bot's callback, or None before the callback.
    `message`, `modal`, `choices`: the bot's response, depending on its type.
    """

    id: int
    token: str
    kind: InteractionKind
    user: User
    channel: Channel
    created_at: float
    owners: dict[str, str]
    source: Message | None = None
    form: Interaction | None = None
    answer: int | None = None
    message: Message | None = None
    modal: Payload | None = None
    choices: list[Payload] | None = None
    followups: list[Message] = field(default_factory=list["Message"])

    def metadata(self) -> Payload:
        """Return the metadata that Discord adds to messages that respond to this interaction."""
        metadata: Payload = {
            "id": str(self.id),
            "type": int(self.kind),
            "user": self.user.payload(),
            "authorizing_integration_owners": self.owners,
        }
        if self.form is not None:
            metadata["triggering_interaction_metadata"] = self.form.metadata()
        elif self.source is not None:
            metadata["interacted_message_id"] = str(self.source.id)
        return metadata


class Interactions:
    """Opens interactions, and finds them by their tokens."""

    def __init__(
        self,
        *,
        ids: Snowflakes,
        clock: Callable[[], float],
        limits: DiscordLimits,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._limits = limits
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        *,
        source: Message | None = None,
        form: Interaction | None = None,
    ) -> Interaction:
        """Open an interaction. Its token becomes valid now."""
        interaction = Interaction(
            id=self._ids.next(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            user=user,
            channel=channel,
            created_at=self._clock(),
            owners=_installation_owners(user, channel),
            source=source,
            form=form,
        )
        self._by_token[interaction.token] = interaction
        return interaction

    def unanswered(self, interaction_id: int, token: str) -> Interaction:
        """Return an interaction to which the bot has not responded yet.

        Raises RefusedError if there is no such interaction, or if it is too old.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise RefusedError(UNKNOWN_INTERACTION)
        if interaction.answer is not None:
            raise RefusedError(ALREADY_ANSWERED)
        if self._age(interaction) > self._limits.answer_within:
            raise RefusedError(UNKNOWN_INTERACTION)
        return interaction

    def answered(self, token: str) -> Interaction:
        """Return an interaction to which the bot has responded.

        Raises RefusedError if its token is unknown or expired.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.answer is None:
            raise RefusedError(UNKNOWN_WEBHOOK)
        if self._age(interaction) > self._limits.token_life:
            raise RefusedError(INVALID_WEBHOOK_TOKEN)
        return interaction

    def _age(self, interaction: Interaction) -> float:
        return self._clock() - interaction.created_at


def _installation_owners(user: User, channel: Channel) -> dict[str, str]:
    if channel.guild is not None and channel.guild.installed:
        return {"0": str(channel.guild.id)}
    return {"1": str(user.id)}
