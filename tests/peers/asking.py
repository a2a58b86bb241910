"""Short ways to ask for what a server must refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.backends.base import VideoBackend
    from bot.demo.fake_discord.state.message import Message
    from bot.model import VideoRequest


async def refused(backend: VideoBackend, request: VideoRequest) -> BackendError:
    """Ask for a video, and return the refusal."""
    return await error_of(backend.submit(request, create_key="k"))


async def lost(backend: VideoBackend, ref: str) -> BackendError:
    """Ask for a job, and return why it can't be told of."""
    return await error_of(backend.poll(ref))


async def error_of(question: Awaitable[object]) -> BackendError:
    """Return the error with which a question ends; AssertionError: it has an answer."""
    try:
        answer = await question
    except BackendError as error:
        return error
    raise AssertionError(f"there was an answer: {answer}")


def labels(message: Message) -> str:
    """Return what stands on a card's buttons."""
    return " / ".join(part.get("label", "") for part in message.components)
