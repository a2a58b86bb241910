"""The command `demo`: shows how the bot handles one `/video`, from the command to the MP4 file.

It uses a fake Discord on this machine.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yarl import URL

from bot import app
from bot.delivery.views.button_ids import TEMPLATE, Action
from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.uploads import Upload
from bot.demo.terminal import CardTerminal
from bot.errors import StartupError
from bot.pacing import EditIntervals, LookupDelays, PollIntervals
from bot.runtime.log_setup import configure_logs
from bot.runtime.timing import Timing
from bot.settings.fields import load_settings
from storage.files.data_folder import make_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

    from bot.demo.fake_discord.state.message import Message
    from bot.settings.fields import Settings

PROMPT = "How rainbows form: raindrops bend sunlight and spread it into colours"
_WITHIN_SECONDS = 120.0
# While a job is open, its card has at least one of these buttons.
_OPEN = frozenset({Action.CANCEL, Action.RETRY, Action.GIVE_UP})
_FOREVER = math.inf  # only the demo's own time-out ends the wait
_VIDEO = "clapper-demo.mp4"
# Each demo deletes the folder of this name that an earlier demo has created.
_WORK_FOLDER = ".clapper-demo"
# The pauses are shorter than usual, so that the progress bar moves visibly within half a minute.
_TIMING = Timing(
    lookup_delays=LookupDelays(first=2.0, interval=2.0),
    poll_intervals=PollIntervals(first=1.0, growth=1.0, ceiling=1.0),
    edit_intervals=EditIntervals(state=0.5, first_minute=1.0),
)


class Demo:
    """Shows the bot at work. No account of any kind is needed."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options: the prompt, the narration, the folder, the time-out and the backend."""
        parser.add_argument("--prompt", default=PROMPT, help="what the video should show")
        parser.add_argument(
            "--audio",
            type=Path,
            default=Path(__file__).parent / "narration.ogg",
            metavar="FILE",
            help="narration for the video; default: an example that comes with Clapper",
        )
        parser.add_argument(
            "--folder",
            type=Path,
            default=Path("data/demo"),
            help="folder for the video; default: data/demo",
        )
        parser.add_argument(
            "--within",
            type=float,
            default=_WITHIN_SECONDS,
            metavar="SECONDS",
            help="how long to wait for the video; default: 120",
        )
        parser.add_argument(
            "--real",
            action="store_true",
            help="order the video from the VIDEO_BACKEND in the settings, at its usual price; "
            "default: title cards, made on this machine",
        )

    def run(self, options: argparse.Namespace) -> int:
        """Start the bot, type the command, and print the path of the finished video."""
        folder, audio = options.folder.absolute(), options.audio
        if not audio.is_file():
            raise StartupError(f"--audio: there is no file {audio}.")
        _prepare(folder)
        return asyncio.run(_demo(options, folder))


def _prepare(folder: Path) -> None:
    # The folder may contain other files, so only the files of an earlier demo are deleted.
    work, video = folder / _WORK_FOLDER, folder / _VIDEO
    if video.exists() and not work.is_dir():
        raise StartupError(f"--folder: {video} is not from a demo; name another folder.")
    try:
        shutil.rmtree(work, ignore_errors=True)
        make_folder(work / "discord")
    except OSError as error:
        raise StartupError(
            f"--folder: {folder} can't be used ({error.strerror}); name another."
        ) from error


async def _demo(options: argparse.Namespace, folder: Path) -> int:
    started = time.monotonic()
    async with FakeDiscord(folder / _WORK_FOLDER / "discord") as fake_discord:
        settings = _settings(fake_discord, folder, real=options.real)
        _warn_of_costs(settings)
        stop = asyncio.Event()
        bot = asyncio.create_task(app.run(settings, timing=_TIMING, stop=stop), name="bot")
        try:
            show = _type_command(fake_discord, options.prompt, options.audio)
            message = await _wait(show, bot, options.within)
            interrupted = bot.done()
        finally:
            stop.set()
            await asyncio.gather(bot, return_exceptions=True)
        bot.result()
        if message is not None and message.files:
            return await asyncio.to_thread(_report, fake_discord, message, folder, started)
        print(f"\n  {_explain_failure(message, options, interrupted=interrupted)}")
        return 1


def _settings(fake_discord: FakeDiscord, folder: Path, *, real: bool) -> Settings:
    # Unless --real is given, these values override .env. No service is then contacted, and nothing
    # is spent.
    local: dict[str, Any] = {
        "video_backend": "storyboard",
        "storyboard_url": "",
        "prompt_writer": "off",
        "moderation": "off",
        "narration_backend": "off",
    }
    settings = load_settings(
        discord_token=fake_discord.token,
        discord_api_url=fake_discord.url,
        data_dir=folder / _WORK_FOLDER / "clapper",
        database_url="",
        store_url="",
        store_endpoint="",
        store_public_endpoint="",
        http_port=0,
        public_url="",
        **({} if real else local),
    )
    # Log lines would interrupt the drawing of the card, so only errors are logged by default.
    configure_logs(settings, level="ERROR" if settings.log_level == "INFO" else None)
    return settings


def _warn_of_costs(settings: Settings) -> None:
    match settings.video_backend:
        case "storyboard":
            return  # it charges nothing
        case "openai":
            address = settings.openai_base_url
        case "openrouter":
            address = settings.openrouter_base_url
        case "gemini":
            address = settings.gemini_base_url
    url = URL(address).with_user(None)  # this also removes the password
    print(f"\n  The video is ordered with VIDEO_BACKEND={settings.video_backend} from {url},")
    print("  which charges its usual price.", flush=True)


def _explain_failure(
    message: Message | None, options: argparse.Namespace, *, interrupted: bool
) -> str:
    """Return a sentence that explains why there is no video."""
    charged = " The provider may charge for the order anyway." if options.real else ""
    if message is not None and message.ephemeral:
        return f"{message.text}\n\n  There is no video: the bot refused the command."
    if message is not None:
        return "There is no video: the card says why."
    if interrupted:
        return f"Interrupted: there is no video.{charged}"
    return (
        f"There is no video after {options.within:g} s: --within allows more time, and "
        f"LOG_LEVEL=DEBUG shows what the bot does.{charged}"
    )


async def _type_command(fake_discord: FakeDiscord, prompt: str, audio: Path) -> Message:
    await fake_discord.wait_for_bot(within=_FOREVER)
    user = fake_discord.world.user
    print(f"\n  @{user.name} types: /video prompt:{prompt} audio:{audio.name}\n")
    terminal = CardTerminal(
        sys.stdout,
        names={user.id: user.name, fake_discord.world.bot.id: fake_discord.world.bot.name},
        clock=time.time,
    )
    upload = Upload(filename=audio.name, content=audio, content_type="audio/ogg")
    interaction = await fake_discord.slash("video", {"prompt": prompt, "audio": upload})
    message = await fake_discord.answer_to(interaction, within=_FOREVER)
    seen = 0

    def ended() -> bool:
        nonlocal seen
        for version in message.versions[seen:]:
            if parts := version.payload["components"]:
                terminal.draw(parts)
        seen = len(message.versions)
        return bool(fake_discord.dms(user)) or not _is_open(message)

    await fake_discord.wait_for(ended, within=_FOREVER)
    return message


def _is_open(message: Message) -> bool:
    buttons = (re.match(TEMPLATE, part.get("custom_id", "")) for part in message.components)
    # A card with a button for open jobs isn't final. A card with a video isn't final either,
    # because a DM follows.
    return bool(message.files) or any(match and match["action"] in _OPEN for match in buttons)


async def _wait(
    show: Coroutine[Any, Any, Message], bot: asyncio.Task[None], within: float
) -> Message | None:
    """Return the final message, or None if the time-out has passed or the bot has stopped."""
    task = asyncio.create_task(show, name="show")
    await asyncio.wait({bot, task}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


def _report(fake_discord: FakeDiscord, message: Message, folder: Path, started: float) -> int:
    # The file is replaced in one step, so that the folder never contains an incomplete video.
    video, part = folder / _VIDEO, folder / _WORK_FOLDER / _VIDEO
    shutil.copyfile(message.files[0].path, part)
    part.replace(video)
    for dm in fake_discord.dms():
        print("\n  DM from @clapper:")
        print("\n".join(f"    {line.removeprefix('-# ')}" for line in dm.text.splitlines()))
    print(f"\n  The video from the channel, after {time.monotonic() - started:.0f} s:")
    print(f"    {video}\n")
    return 0
