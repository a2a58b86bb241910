"""Opens the backend `storyboard`: the embedded renderer, or one that is run as a service.

The renderer is imported only if it is started.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.backends import capabilities
from bot.backends.capabilities import ServicePlace
from bot.backends.openai_videos import OpenAIVideos
from bot.backends.transport.base import Timeouts
from bot.errors import StartupError
from bot.links import derive_key
from bot.runtime.timing import SUBMIT_SECONDS
from bot.web.http.server import url_host
from bot.web.webhooks import WEBHOOK_PATH
from storage.files.data_folder import make_folder

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from bot.runtime.resources import Resources
    from bot.settings.fields import Settings

STORYBOARD = "storyboard"
_IDEMPOTENCY = "Idempotency-Key"


def reach_storyboard(settings: Settings) -> OpenAIVideos:
    """Return the adapter for a renderer that is run as a service."""
    _check_size(settings)
    return OpenAIVideos(
        name=STORYBOARD,
        base_url=settings.storyboard_url,
        api_key=None,
        webhook_secrets=settings.webhook_secrets,
        idempotency_header=_IDEMPOTENCY,
        timeouts=Timeouts(submit=SUBMIT_SECONDS),
        features=replace(capabilities.STORYBOARD, place=ServicePlace.ANY_SERVER),
    )


def _check_size(settings: Settings) -> None:
    from bot.storyboard.create_request import CreateError, check_size

    try:
        check_size(settings.video_size)
    except CreateError as error:
        raise StartupError(f"VIDEO_SIZE: {error.message}") from error


async def open_storyboard(resources: Resources, stack: AsyncExitStack) -> OpenAIVideos:
    """Start the embedded renderer, and return the adapter for it."""
    from bot.storyboard.clip_renderer import ClipRenderer
    from bot.storyboard.server import Storyboard

    _check_size(resources.settings)
    key = derive_key(resources.secret, "storyboard webhook")
    webhook_secret = f"whsec_{base64.b64encode(key).decode()}"
    folder = resources.settings.data_dir / "storyboard"
    await asyncio.to_thread(make_folder, folder)
    storyboard = Storyboard(
        folder,
        ClipRenderer(resources.ffmpeg),
        clock=resources.clock,
        steady=resources.clock.steady,
        webhook_url=f"http://{url_host(resources.settings.http_host)}:{resources.port}{WEBHOOK_PATH}",
        webhook_secret=webhook_secret,
    )
    await storyboard.start()
    stack.push_async_callback(storyboard.close)
    return OpenAIVideos(
        name=STORYBOARD,
        base_url=storyboard.base_url,
        api_key=None,
        webhook_secrets=(webhook_secret,),
        idempotency_header=_IDEMPOTENCY,
        features=capabilities.STORYBOARD,
    )
