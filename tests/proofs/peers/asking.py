"""Helpers for requests that a server must refuse, and for reading cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.backends.base import VideoBackend
    from bot.demo.fake_discord.state.message import Message
    from bot.model import VideoRequest


async def refused(backend: VideoBackend, request: VideoRequest) -> BackendError:
    """Submit a request, and return the error of its refusal."""
    return await error_of(backend.submit(request, create_key="k"))


async def lost(backend: VideoBackend, ref: str) -> BackendError:
    """Poll a job, and return the error."""
    return await error_of(backend.poll(ref))


async def error_of(question: Awaitable[object]) -> BackendError:
    """Return the error that a call raises; AssertionError: it raises none."""
    try:
        answer = await question
    except BackendError as error:
        return error
    raise AssertionError(f"there was an answer: {answer}")


def labels(message: Message) -> str:
    """Return the labels of a card's buttons."""
    return " / ".join(part.get("label", "") for part in message.components)
