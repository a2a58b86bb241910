"""`demo`: one `/video` from the command to the MP4, with a Discord stand-in on this machine."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot import app
from bot.commands.run import configure_logs
from bot.commands.terminal import CardTerminal
from bot.delivery.progress import Pace
from bot.errors import ClapperError
from bot.poller import Cadence
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.uploads import Upload
from bot.settings import load_settings
from bot.submission import Settling
from bot.timing import Timing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine
    from typing import Any

    from bot.sandbox.messages import Message
    from bot.settings import Settings

_PROMPT = "Explain how rainbows form"
_WITHIN_SECONDS = 120.0
# Livelier than in earnest: half a minute should show the bar moving.
_TIMING = Timing(
    settling=Settling(first=2.0, apart=2.0),
    cadence=Cadence(first=1.0, growth=1.0, ceiling=1.0),
    pace=Pace(state=0.5, first_minute=1.0),
)


class Demo:
    """Shows Clapper without an account anywhere."""

    name = "demo"
    summary = "watch one /video from the command to the MP4; no account needed"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Ask for the prompt, the narration, and where the files go."""
        parser.add_argument("--prompt", default=_PROMPT)
        parser.add_argument("--audio", type=Path, default=Path(__file__).parent / "narration.ogg")
        parser.add_argument("--folder", type=Path, default=Path("data/demo"))

    def run(self, options: argparse.Namespace) -> int:
        """Start everything, type the command, and say where the video is."""
        folder: Path = options.folder.absolute()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return asyncio.run(_demo(folder, prompt=options.prompt, audio=options.audio))


async def _demo(folder: Path, *, prompt: str, audio: Path) -> int:
    started = time.monotonic()
    discord_files = folder / "discord"
    discord_files.mkdir()
    async with Sandbox(discord_files) as sandbox:
        settings = _settings(sandbox, folder)
        stop = asyncio.Event()
        bot = asyncio.create_task(app.run(settings, timing=_TIMING, stop=stop), name="bot")
        try:
            message = await _or_failure(bot, _type_command(sandbox, prompt, audio))
        finally:
            stop.set()
            await asyncio.gather(bot, return_exceptions=True)
        bot.result()
        return await asyncio.to_thread(_report, sandbox, message, folder, started)


def _settings(sandbox: Sandbox, folder: Path) -> Settings:
    settings = load_settings(
        discord_token=sandbox.token,
        discord_api_url=sandbox.url,
        data_dir=folder / "clapper",
        http_port=0,
        public_url="",
    )
    # The card is the show: what is logged for operators would draw over it.
    configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
    return settings


async def _type_command(sandbox: Sandbox, prompt: str, audio: Path) -> Message:
    await sandbox.wait_for(lambda: sandbox.world.commands, within=_WITHIN_SECONDS)
    await sandbox.wait_for(lambda: sandbox.gateway.ready, within=_WITHIN_SECONDS)
    user = sandbox.world.user
    print(f"\n  @{user.name} types: /video prompt:{prompt} audio:{audio.name}\n")
    terminal = CardTerminal(
        sys.stdout,
        names={user.id: user.name, sandbox.world.bot.id: sandbox.world.bot.name},
        clock=time.time,
    )
    upload = Upload(filename=audio.name, content=audio, content_type="audio/ogg")
    interaction = await sandbox.slash("video", {"prompt": prompt, "audio": upload})
    message = await sandbox.answer_to(interaction)
    seen = 0

    def ended() -> bool:
        nonlocal seen
        for version in message.versions[seen:]:
            terminal.draw(version.payload["components"])
        seen = len(message.versions)
        return bool(sandbox.dms(user)) or not _is_open(message)

    await sandbox.wait_for(ended, within=_WITHIN_SECONDS)
    return message


def _is_open(message: Message) -> bool:
    return bool(message.files) or any("custom_id" in part for part in message.components)


async def _or_failure(bot: asyncio.Task[None], show: Coroutine[Any, Any, Message]) -> Message:
    task = asyncio.create_task(show, name="show")
    await asyncio.wait({bot, task}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        bot.result()
        raise ClapperError("the bot ended before the demo did")
    return task.result()


def _report(sandbox: Sandbox, message: Message, folder: Path, started: float) -> int:
    if not message.files:
        print("\n  No video came. LOG_LEVEL=DEBUG make demo tells more.")
        return 1
    video = folder / "clapper-demo.mp4"
    shutil.copyfile(message.files[0].path, video)
    for dm in sandbox.dms():
        print("\n  DM from @clapper:")
        print("\n".join(f"    {line}" for line in dm.text.splitlines()))
    print(f"\n  The video, as it stands in the channel, after {time.monotonic() - started:.0f} s:")
    print(f"    {video}\n")
    return 0
