"""A bot whose command answers with the script of a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import discord
from discord import app_commands, ui
from discord.ext import commands

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.demo.fake_discord.server import FakeDiscord

CLIP = b"\0\0\0\x18ftypmp42" + b"clip" * 1000
VOICE = b"RIFF" + b"voice" * 500


class Clock:
    """Real time plus the seconds that a test adds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + 1_790_000_000 + self.ahead


class CancelButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"cancel:(?P<job>\w+)"):
    def __init__(self, job: str) -> None:
        super().__init__(ui.Button(label="Cancel", custom_id=f"cancel:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls, _interaction: object, _item: object, match: object
    ) -> CancelButton:
        return cls(match["job"])  # type: ignore[index]

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=Card(f"cancelled {self.job}"))


class Card(ui.LayoutView):
    def __init__(self, text: str, *, job: str | None = None, clip: str | None = None) -> None:
        super().__init__(timeout=None)
        box: ui.Container[Card] = ui.Container(ui.TextDisplay(text))
        if clip:
            box.add_item(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{clip}")))
        if job:
            box.add_item(ui.ActionRow(CancelButton(job)))
        self.add_item(box)
        self.stop()


class Form(ui.Modal, title="Another one"):
    prompt: ui.TextInput[Form] = ui.TextInput(label="Prompt", custom_id="prompt")
    style: ui.TextInput[Form] = ui.TextInput(label="Style", custom_id="style", default="calm")
    voice: ui.Label[Form] = ui.Label(
        text="Voice", component=ui.FileUpload(custom_id="voice", required=False)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.voice.component, ui.FileUpload)
        sizes = [file.size for file in self.voice.component.values]
        said = f"{self.prompt.value}, {self.style.value}, {sizes}"
        await interaction.response.send_message(said, ephemeral=True)


class Bot(commands.Bot):
    """Answers /video with the script of the test."""

    def __init__(self) -> None:
        super().__init__("!", intents=discord.Intents.default(), guild_ready_timeout=0.01)
        self.script: Callable[[discord.Interaction, discord.Attachment | None], Awaitable[object]]
        self.script = self.nothing
        self.errors: asyncio.Queue[BaseException] = asyncio.Queue()

    async def nothing(self, interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("working"))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip discord.py's pause before a second IDENTIFY."""

    async def setup_hook(self) -> None:
        self.add_dynamic_items(CancelButton)

        @self.tree.command(description="Make a video")
        async def video(
            interaction: discord.Interaction, prompt: str, audio: discord.Attachment | None = None
        ) -> None:
            del prompt
            await self.script(interaction, audio)

        admin = app_commands.Group(name="admin", description="For the operator")

        @admin.command(description="Show the limits")
        async def limits(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("20 a day", ephemeral=True)

        self.tree.add_command(admin)

        @self.tree.error
        async def on_error(
            _interaction: discord.Interaction, error: app_commands.AppCommandError
        ) -> None:
            self.errors.put_nowait(getattr(error, "original", error))

        await self.tree.sync()


@asynccontextmanager
async def online(fake_discord: FakeDiscord) -> AsyncIterator[Bot]:
    before = fake_discord.gateway.identified
    bot = Bot()
    async with bot:
        running = asyncio.create_task(bot.start(fake_discord.token), name="bot")
        await fake_discord.wait_for_bot(after=before)
        yield bot
    await running


async def failure(fake_discord: FakeDiscord, bot: Bot) -> discord.HTTPException:
    """Type /video, and return the error that the bot's script raised."""
    await fake_discord.slash("video", {"prompt": "rain"})
    error = await asyncio.wait_for(bot.errors.get(), 10)
    assert isinstance(error, discord.HTTPException)
    return error
