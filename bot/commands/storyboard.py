"""The command `storyboard`: runs only the embedded renderer, as a local Videos API server."""

from __future__ import annotations

import asyncio
import time
from socket import gethostname
from typing import TYPE_CHECKING

from yarl import URL

from bot.errors import StartupError
from bot.media.process.ffmpeg import Ffmpeg, find_ffmpeg
from bot.runtime.log_setup import configure_logs
from bot.runtime.stop_signals import on_stop_signals
from bot.settings.fields import load_settings
from bot.storyboard.clip_renderer import ClipRenderer
from bot.storyboard.server import Storyboard
from storage.files.data_folder import make_folder

if TYPE_CHECKING:
    import argparse

    from bot.settings.fields import Settings

_ALL_ADDRESSES = frozenset({"0.0.0.0", "::"})  # noqa: S104 - the operator chose to listen there


class ServeStoryboard:
    """Runs the renderer until SIGTERM arrives or Ctrl-C is pressed."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options: the address to listen on, and the webhook URL."""
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="default: 127.0.0.1, for this machine alone; no key protects the renderer",
        )
        parser.add_argument(
            "--port", type=int, default=8090, help="default: 8090; 0: any free port"
        )
        parser.add_argument(
            "--webhook-url", help="URL that receives video.completed and video.failed"
        )

    def run(self, options: argparse.Namespace) -> int:
        """Serve until a stop signal arrives.

        Webhooks are signed with the first secret in OPENAI_WEBHOOK_SECRET.
        """
        settings = load_settings(video_backend="storyboard", database_url="")
        configure_logs(settings)
        asyncio.run(_serve(settings, options))
        return 0


async def _serve(settings: Settings, options: argparse.Namespace) -> None:
    folder = settings.data_dir / "storyboard"
    try:
        await asyncio.to_thread(make_folder, folder)
    except OSError as error:
        raise StartupError(
            f"DATA_DIR: {folder} can't be created ({error.strerror}); name another folder."
        ) from error
    storyboard = Storyboard(
        folder,
        ClipRenderer(Ffmpeg(await find_ffmpeg(), slots=1)),
        clock=time.time,
        webhook_url=options.webhook_url,
        webhook_secret=next(iter(settings.webhook_secrets), None),
        host=options.host,
        port=options.port,
    )
    stop = asyncio.Event()
    with on_stop_signals(lambda _: stop.set()):
        await storyboard.start()
        try:
            url = _as_others_reach(storyboard.base_url)
            print(f"OPENAI_BASE_URL={url}\nSTORYBOARD_URL={url}", flush=True)
            await stop.wait()
        finally:
            await storyboard.close()


def _as_others_reach(url: str) -> str:
    """Return a URL at which other machines can reach the renderer.

    A host that stands for all addresses of this machine is replaced with the machine's name.
    """
    parts = URL(url)
    return str(parts.with_host(gethostname()) if parts.host in _ALL_ADDRESSES else parts)
