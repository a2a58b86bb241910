"""Texts that were read aloud and are kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from storage.speeches import SpeechCaps, SpeechRequester, SpeechStore
from tests.support.cards import post_card

if TYPE_CHECKING:
    from bot.demo.fake_discord.gateway.interactions import Interaction
    from bot.demo.fake_discord.state.message import Message
    from tests.support.desk import Desk
    from tests.support.fakes.bench import Bench


async def keep_speech(bench: Bench, user_id: int, text: str = "A lighthouse speaks.") -> int:
    """Keep a text as `/narrate` does after its answer, and return the number of its row."""
    requester = SpeechRequester(user_id=user_id, interaction_id=uuid4().int >> 70)
    caps = SpeechCaps(per_user=99, per_day=99)
    speech_id = await SpeechStore(bench.database).count(requester, caps, now=bench.clock())
    assert isinstance(speech_id, int)
    narration_id = uuid4().hex
    folder = await bench.workspace.create(narration_id)
    await asyncio.to_thread(folder.attachment.write_bytes, b"spoken")
    assert await bench.speeches.keep(speech_id, text, narration_id=narration_id)
    return speech_id


def speech_button(speech_id: int) -> str:
    """Return the id of the button below an answer of `/narrate`."""
    return f"clapper:speech:{speech_id}"


async def press_speech(desk: Desk, speech_id: int, **who: Any) -> Message:
    """Press the button of a text, and return the message that answers."""
    return await desk.click(_post(desk, speech_id, **who), "Old", **_user(who))


async def speech_form(desk: Desk, speech_id: int, **who: Any) -> Interaction:
    """Press the button of a text, and return the form that answers."""
    custom_id = speech_button(speech_id)
    card = _post(desk, speech_id, **who)
    opened = await desk.fake_discord.click(card, custom_id, **_user(who))
    await desk.fake_discord.wait_for(lambda: opened.modal or opened.message)
    assert opened.modal is not None
    return opened


def _post(desk: Desk, speech_id: int, *, where: Any = None, **_: Any) -> Message:
    return post_card(desk, "speech", str(speech_id), where=where)


def _user(who: dict[str, Any]) -> dict[str, Any]:
    return {"user": who["user"]} if "user" in who else {}
