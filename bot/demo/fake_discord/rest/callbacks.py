"""Carries out the bot's callbacks, which respond to interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.fake_discord.api_errors import invalid_form
from bot.demo.fake_discord.gateway.interactions import InteractionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from bot.demo.fake_discord.state.messages import MessageStore
    from bot.demo.fake_discord.state.world import World
    from bot.demo.fake_discord.uploads import StoredFile
    from bot.demo.fake_discord.wire import Payload

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
_REPLY_TYPES = {
    InteractionKind.COMMAND: 20,
    InteractionKind.COMPONENT: 19,
    InteractionKind.MODAL: 19,
}


class Callbacks:
    """Carries out callbacks, and stores their results in the interactions."""

    def __init__(self, *, messages: MessageStore, world: World) -> None:
        self._messages = messages
        self._world = world

    def respond(
        self, interaction: Interaction, body: Payload, files: Sequence[StoredFile]
    ) -> Payload:
        """Carry out a callback.

        Returns the body that Discord sends if the request asks for it with `with_response`.
        """
        kind: int = body.get("type", 0)
        data: Payload = body.get("data") or {}
        if (kind == CHOICES) != (interaction.kind is InteractionKind.AUTOCOMPLETE):
            raise invalid_form("type", f"{kind} can't answer this interaction")
        if kind == CHOICES:
            interaction.choices = data["choices"]
        elif kind == MESSAGE:
            interaction.message = self.reply(interaction, data, files)
        elif kind == DEFERRED:
            interaction.message = self._messages.create_deferred(
                interaction.channel,
                self._world.bot,
                data.get("flags") or 0,
                self._reply_fields(interaction),
            )
        elif kind == UPDATE:
            interaction.message = _source(interaction)
            self._messages.edit(interaction.message, data, files)
        elif kind == DEFERRED_UPDATE:
            interaction.message = _source(interaction)
        elif kind == MODAL and interaction.kind is not InteractionKind.MODAL:
            interaction.modal = data
        else:
            raise invalid_form("type", f"{kind} can't answer this interaction")
        interaction.answer = kind
        return _callback_response(interaction, kind)

    def reply(
        self, interaction: Interaction, body: Payload, files: Sequence[StoredFile]
    ) -> Message:
        """Post a message that responds to an interaction, as a callback or as a follow-up."""
        return self._messages.create(
            interaction.channel,
            self._world.bot,
            body,
            files,
            fields=self._reply_fields(interaction),
        )

    def follow_up(
        self, interaction: Interaction, body: Payload, files: Sequence[StoredFile]
    ) -> Message:
        """Post a follow-up message. The first follow-up replaces a deferred response."""
        first = interaction.message
        if first is not None and first.loading:
            self._messages.edit(first, body, files)
            return first
        message = self.reply(interaction, body, files)
        interaction.followups.append(message)
        return message

    def _reply_fields(self, interaction: Interaction) -> Payload:
        return {
            "type": _REPLY_TYPES[interaction.kind],
            "application_id": str(self._world.application_id),
            "webhook_id": str(self._world.application_id),
            "interaction_metadata": interaction.metadata(),
        }


def _source(interaction: Interaction) -> Message:
    if interaction.source is None:
        raise invalid_form("type", "there is no message to update")
    return interaction.source


def _callback_response(interaction: Interaction, kind: int) -> Payload:
    summary: Payload = {"id": str(interaction.id), "type": int(interaction.kind)}
    if interaction.message is None:
        return {"interaction": summary}
    summary |= {
        "response_message_id": str(interaction.message.id),
        "response_message_loading": interaction.message.loading,
        "response_message_ephemeral": interaction.message.ephemeral,
    }
    resource = {"type": kind, "message": interaction.message.payload}
    return {"interaction": summary, "resource": resource}
