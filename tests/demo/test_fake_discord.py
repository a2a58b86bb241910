from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands, ui
from discord.ext import commands

from bot.demo.fake_discord import api_errors
from bot.demo.fake_discord.api_errors import RefusedError
from bot.demo.fake_discord.gateway.connection import MAX_SESSIONS
from bot.demo.fake_discord.rest import faults
from bot.demo.fake_discord.rest.rate_limits import RateLimits
from bot.demo.fake_discord.server import FakeDiscord
from bot.demo.fake_discord.state.components import text_of
from bot.demo.fake_discord.uploads import Upload
from bot.demo.fake_discord.wire import FakeDiscordError
from tests.support.schemas.discord_spec import check, check_all, check_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bot.demo.fake_discord.gateway.interaction_events import Value
    from bot.demo.fake_discord.state.message import Message

CLIP = b"\0\0\0\x18ftypmp42" + b"clip" * 1000
VOICE = b"RIFF" + b"voice" * 500
DONE = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original"


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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake_discord(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(tmp_path, clock=clock) as fake_discord:
        monkeypatch.setattr(discord.http.Route, "BASE", fake_discord.url)
        gateway = yarl.URL(fake_discord.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        yield fake_discord
        check_all(fake_discord.history.requests)
        for message in fake_discord.history.messages:
            for version in message.versions:
                check_message(version.payload)


@asynccontextmanager
async def online(fake_discord: FakeDiscord) -> AsyncIterator[Bot]:
    before = fake_discord.gateway.identified
    bot = Bot()
    async with bot:
        running = asyncio.create_task(bot.start(fake_discord.token), name="bot")
        await fake_discord.wait_for_bot(after=before)
        yield bot
    await running


@pytest.fixture
async def bot(fake_discord: FakeDiscord) -> AsyncIterator[Bot]:
    async with online(fake_discord) as bot:
        yield bot


async def failure(fake_discord: FakeDiscord, bot: Bot) -> discord.HTTPException:
    """Type /video, and return the error that the bot's script raised."""
    await fake_discord.slash("video", {"prompt": "rain"})
    error = await asyncio.wait_for(bot.errors.get(), 10)
    assert isinstance(error, discord.HTTPException)
    return error


async def test_a_command_is_synced_and_answered(fake_discord: FakeDiscord, bot: Bot) -> None:
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    card = await fake_discord.answer_to(asked)

    assert [command["name"] for command in fake_discord.world.commands] == ["video", "admin"]
    assert card.text == "working"
    assert card.payload["interaction_metadata"]["user"]["id"] == str(fake_discord.world.user.id)
    assert bot.user is not None
    assert bot.user.id == card.author.id


async def test_an_interaction_describes_its_user_and_channel(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    seen: list[discord.Interaction] = []

    async def look(interaction: discord.Interaction, _audio: object) -> None:
        seen.append(interaction)
        await interaction.response.send_message("ok")

    bot.script = look
    fake_discord.limits.announced_bytes = 12345
    strangers = fake_discord.world.add_guild("Elsewhere", locale="fr", installed=False)
    reader = fake_discord.world.add_user("grace", locale="de")
    places = [
        fake_discord.world.channel,
        fake_discord.world.dm(reader),
        fake_discord.world.add_group(reader, fake_discord.world.user),
        fake_discord.world.add_channel(strangers),
    ]
    for place in places:
        await fake_discord.answer_to(
            await fake_discord.slash("video", {"prompt": "rain"}, user=reader, where=place)
        )

    guild, dm, group, foreign = seen
    assert {interaction.filesize_limit for interaction in seen} == {12345}
    assert {interaction.locale for interaction in seen} == {discord.Locale.german}
    assert {interaction.user.id for interaction in seen} == {reader.id}
    assert [i.is_guild_integration() for i in seen] == [True, False, False, False]
    assert guild.guild_locale is discord.Locale.american_english
    assert foreign.guild_locale is discord.Locale.french
    assert dm.context.dm_channel
    assert group.context.private_channel
    assert guild.app_permissions.attach_files


async def test_an_attachment_can_be_downloaded_until_its_link_expires(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    got: list[bytes] = []

    async def read(_interaction: discord.Interaction, audio: discord.Attachment | None) -> None:
        assert audio is not None
        assert (audio.filename, audio.content_type) == ("my_voice.wav", "audio/x-claim")
        got.append(await audio.read())
        clock.ahead += 90_000
        await audio.read()

    bot.script = read
    audio = Upload(filename="my voice.wav", content=VOICE, content_type="audio/x-claim")
    await fake_discord.slash("video", {"prompt": "rain", "audio": audio})
    error = await asyncio.wait_for(bot.errors.get(), 10)

    assert got == [VOICE]
    assert isinstance(error, discord.NotFound)
    assert len(fake_discord.history.downloads) == 2


async def test_edits_add_a_clip_to_the_same_message(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def make(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        await interaction.edit_original_response(view=Card("50 %"))
        clip = discord.File(io.BytesIO(CLIP), "rain.mp4")
        sent = await interaction.edit_original_response(
            view=Card("done", clip="rain.mp4"), attachments=[clip]
        )
        assert sent.attachments[0].size == len(CLIP)
        again = await sent.edit(view=Card("still there"), attachments=sent.attachments)
        assert len(again.attachments) == 1

    bot.script = make
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    card = await fake_discord.answer_to(asked)
    await fake_discord.wait_for(lambda: card.text == "still there")

    said = [text_of(version.payload) for version in card.versions]
    assert said == ["queued", "50 %", "done", "still there"]
    assert fake_discord.history.messages == [card]
    assert card.files[0].path.read_bytes() == CLIP
    assert card.files[0].sha256 == hashlib.sha256(CLIP).hexdigest()
    gallery = card.versions[2].payload["components"][0]["components"][1]
    assert gallery["items"][0]["media"]["url"] == card.payload["attachments"][0]["url"]


async def test_a_card_with_an_expired_token_is_edited_with_the_bots_token(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    async def late(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        message = await interaction.original_response()
        clock.ahead = 901
        await (
            bot.get_partial_messageable(message.channel.id)
            .get_partial_message(message.id)
            .edit(
                view=Card("late", clip="a.mp4"),
                attachments=[discord.File(io.BytesIO(CLIP), "a.mp4")],
            )
        )
        await interaction.edit_original_response(view=Card("never"))

    bot.script = late
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (401, 50027)
    assert fake_discord.history.messages[0].text == "late"


async def test_a_file_over_the_limit_is_refused_and_changes_nothing(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def too_much(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        clip = discord.File(io.BytesIO(bytes(3_000_000)), "a.mp4")
        await interaction.edit_original_response(view=Card("x", clip="a.mp4"), attachments=[clip])

    bot.script = too_much
    fake_discord.limits.upload_bytes = 1_000_000
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (413, 40005)
    assert fake_discord.history.messages[0].text == "queued"


async def test_a_rate_limit_is_honoured_by_discord_py(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.faults.add("POST /interactions/*", api_errors.rate_limited(0.01), times=2)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))

    called = fake_discord.history.operations("callback")
    assert [recorded.status for recorded in called] == [429, 429, 200]
    assert bot.errors.empty()


async def test_the_announced_rate_limits_are_enforced(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.rates.enforced = True
    webhook = f"{fake_discord.url}/webhooks/1/token/messages/1"
    async with aiohttp.ClientSession() as http:
        answers: list[tuple[int, str]] = []
        for _ in range(6):
            async with http.patch(webhook, json={}) as answer:
                answers.append((answer.status, answer.headers["X-RateLimit-Remaining"]))
                waits = float(answer.headers["X-RateLimit-Reset-After"])
        # Another token has another bucket.
        async with http.patch(webhook.replace("token", "other"), json={}) as answer:
            assert answer.status == 404
    assert answers == [(404, str(left)) for left in (4, 3, 2, 1, 0)] + [(429, "0")]
    assert 0 < waits <= 5
    assert bot.errors.empty()


async def test_requests_with_the_bots_token_share_a_global_limit(clock: Clock) -> None:
    rates = RateLimits(clock)
    rates.enforced = True
    for number in range(50):
        rates.acquire("GET", f"/channels/{number}/messages")
    rates.acquire("POST", "/interactions/1/token/callback")
    with pytest.raises(RefusedError):
        rates.acquire("GET", "/users/@me")
    clock.ahead += 1
    rates.acquire("GET", "/users/@me")


async def test_a_second_callback_is_refused(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def twice(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("one")
        interaction.response._response_type = None  # noqa: SLF001 - the library prevents it
        await interaction.response.send_message("two")

    bot.script = twice
    assert (await failure(fake_discord, bot)).code == 40060


async def test_a_late_callback_is_refused(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    async def late(interaction: discord.Interaction, _audio: object) -> None:
        clock.ahead = 3.5
        await interaction.response.send_message("late")

    bot.script = late
    error = await failure(fake_discord, bot)
    assert (error.status, error.code) == (404, 10062)


async def test_a_follow_up_replaces_a_deferred_answer(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def think(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.defer(ephemeral=True)
        first = await interaction.followup.send("thought", wait=True)
        await interaction.followup.send("and more")
        await interaction.followup.edit_message(first.id, content="thought hard")

    bot.script = think
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    answer = await fake_discord.answer_to(asked)
    await fake_discord.wait_for(lambda: answer.text == "thought hard")

    assert answer.ephemeral
    assert [message.text for message in asked.followups] == ["and more"]


async def test_a_dm_is_sent_once_and_refused_after_dms_are_closed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def write(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.user.send("your video", nonce="job-1")
        await interaction.user.send("your video", nonce="job-1")
        fake_discord.close_dms()
        await interaction.user.send("again")

    bot.script = write
    error = await failure(fake_discord, bot)

    assert (error.status, error.code) == (403, 50007)
    assert [message.text for message in fake_discord.dms()] == ["your video"]


async def test_a_button_works_after_the_bot_has_restarted(fake_discord: FakeDiscord) -> None:
    async with online(fake_discord) as bot:

        async def show(interaction: discord.Interaction, _audio: object) -> None:
            await interaction.response.send_message(view=Card("queued", job="j1"))

        bot.script = show
        card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    async with online(fake_discord):
        clicked = await fake_discord.click(card, "cancel:j1")
        assert await fake_discord.answer_to(clicked) is card
        await fake_discord.wait_for(lambda: card.text == "cancelled j1")

    with pytest.raises(FakeDiscordError, match="can't be pressed"):
        await fake_discord.click(card, "cancel:j1")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prompt": "fog", "style": "wild"}, "fog, wild, []"),
        (
            {"prompt": "snow", "voice": Upload(filename="voice.wav", content=VOICE)},
            f"snow, calm, [{len(VOICE)}]",
        ),
    ],
)
async def test_a_form_is_submitted(
    fake_discord: FakeDiscord, bot: Bot, values: dict[str, Value], said: str
) -> None:
    async def ask(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_modal(Form())

    bot.script = ask
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.wait_for(lambda: asked.modal)
    assert asked.message is None
    answer = await fake_discord.answer_to(await fake_discord.submit(asked, values))

    assert answer.text == said
    with pytest.raises(FakeDiscordError, match="no nonsense"):
        await fake_discord.submit(asked, {"nonsense": "x"})


async def test_only_a_form_can_be_submitted(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.answer_to(asked)
    with pytest.raises(FakeDiscordError, match="not answered with a form"):
        await fake_discord.submit(asked, {})


async def test_a_selection_is_sent_with_its_values(fake_discord: FakeDiscord, bot: Bot) -> None:
    chosen: list[str] = []
    view = ui.View()
    select: ui.Select[ui.View] = ui.Select(
        custom_id="size", options=[discord.SelectOption(label="small", value="s")]
    )

    async def choose(interaction: discord.Interaction) -> None:
        chosen.extend(select.values)
        await interaction.response.defer()
        await interaction.edit_original_response(content="chosen")
        await interaction.followup.send("indeed")

    async def offer(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("choose", view=view)

    select.callback = choose  # type: ignore[method-assign]
    view.add_item(select)
    bot.script = offer
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    clicked = await fake_discord.click(card, "size", values=["s"])
    (more,) = await fake_discord.wait_for(lambda: clicked.followups)

    assert (chosen, card.text) == (["s"], "chosen")
    assert more.payload["interaction_metadata"]["interacted_message_id"] == str(card.id)
    view.stop()


async def test_a_subcommand_is_typed_like_any_other(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    answer = await fake_discord.answer_to(await fake_discord.slash("admin limits"))
    assert answer.text == "20 a day"


async def test_an_answer_can_be_deleted(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def take_back(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("oops")
        await interaction.delete_original_response()
        await interaction.original_response()

    bot.script = take_back
    assert (await failure(fake_discord, bot)).code == 10008
    assert fake_discord.history.messages[0].deleted


async def test_files_are_kept_added_and_dropped_by_an_edit(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    def file(name: str) -> discord.File:
        return discord.File(io.BytesIO(CLIP), name, description="a clip")

    async def change(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("files", file=file("a.mp4"))
        message = await interaction.original_response()
        message = await message.add_files(file("b.mp4"))
        await message.remove_attachments(message.attachments[0])
        await message.edit(attachments=[])

    bot.script = change
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    await fake_discord.wait_for(lambda: len(card.versions) == 4)

    names = [[a["filename"] for a in version.payload["attachments"]] for version in card.versions]
    assert names == [["a.mp4"], ["a.mp4", "b.mp4"], ["b.mp4"], []]


async def test_a_file_component_shows_the_attachment_that_it_names(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def show(interaction: discord.Interaction, _audio: object) -> None:
        view = ui.LayoutView()
        view.add_item(ui.File("attachment://notes.txt"))
        await interaction.response.send_message(
            view=view, file=discord.File(io.BytesIO(b"notes"), "notes.txt")
        )
        view.stop()

    bot.script = show
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    (shown,) = card.components
    assert shown["file"]["url"] == card.payload["attachments"][0]["url"]
    assert (shown["name"], shown["size"]) == ("notes.txt", 5)


async def test_a_bot_that_is_asked_to_reconnect_resumes(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    del bot
    fake_discord.gateway.ask_to_reconnect()
    await fake_discord.wait_for(lambda: fake_discord.gateway.resumed)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))


async def test_the_oldest_of_many_sessions_is_forgotten(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        first = ""
        for _ in range(MAX_SESSIONS + 1):
            async with session.ws_connect(fake_discord.gateway_url) as socket:
                await socket.receive_json()
                await socket.send_json({"op": 2, "d": {"token": fake_discord.token}})
                ready = await socket.receive_json()
                first = first or ready["d"]["session_id"]
        async with session.ws_connect(fake_discord.gateway_url) as socket:
            await socket.receive_json()
            resume = {"token": fake_discord.token, "session_id": first, "seq": 1}
            await socket.send_json({"op": 6, "d": resume})
            assert await socket.receive_json() == {"op": 9, "d": False}


async def test_a_nonce_is_enforced_for_a_few_minutes(
    fake_discord: FakeDiscord, bot: Bot, clock: Clock
) -> None:
    here = bot.get_partial_messageable(fake_discord.world.channel.id)
    first = await here.send("x", nonce="n")
    clock.ahead = 301
    assert (await here.send("x", nonce="n")).id != first.id


async def test_an_interrupted_upload_is_recorded_without_an_answer(
    fake_discord: FakeDiscord,
) -> None:
    host, port = fake_discord.url.removeprefix("http://").split("/")[0].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/v10/users/@me/channels HTTP/1.1\r\nHost: x\r\n")
    writer.write(b"Content-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    (recorded,) = await fake_discord.wait_for(lambda: fake_discord.history.requests)

    assert (recorded.operation, recorded.status) == ("POST /users/@me/channels", 0)


async def test_events_during_a_gateway_outage_are_replayed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async with fake_discord.gateway.away():
        asked = await fake_discord.slash("video", {"prompt": "rain"})
    await fake_discord.answer_to(asked)

    assert bot.errors.empty()
    assert (fake_discord.gateway.identified, fake_discord.gateway.resumed) == (1, 1)


async def test_a_forgotten_session_is_replaced_by_a_new_one(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async with fake_discord.gateway.away():
        fake_discord.gateway.forget_sessions()
    await fake_discord.wait_for(lambda: fake_discord.gateway.identified == 2)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))

    assert bot.errors.empty()


async def test_a_cut_upload_reaches_the_bot_as_a_reset(fake_discord: FakeDiscord, bot: Bot) -> None:
    async def upload(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message(view=Card("queued"))
        for attempt in range(2):
            clip = discord.File(io.BytesIO(bytes(5_000_000)), "a.mp4")
            card = Card("done", clip="a.mp4")
            try:
                await interaction.edit_original_response(view=card, attachments=[clip])
            except (aiohttp.ClientError, OSError) as error:
                assert attempt == 0
                bot.errors.put_nowait(error)

    bot.script = upload
    fake_discord.faults.add("PATCH *@original", faults.Cut(1_000_000))
    card = await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "rain"}))
    await fake_discord.wait_for(lambda: card.files)

    assert isinstance(bot.errors.get_nowait(), OSError)
    assert [r.status for r in fake_discord.history.requests if r.operation == DONE] == [0, 200]


async def test_a_request_whose_answer_is_lost_is_carried_out(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    fake_discord.faults.add("POST /interactions/*", faults.LoseAnswer())
    await fake_discord.slash("video", {"prompt": "rain"})
    error = await asyncio.wait_for(bot.errors.get(), 10)

    assert isinstance(error, aiohttp.ClientError)
    assert [message.text for message in fake_discord.history.messages] == ["working"]


async def test_a_delayed_answer_is_sent_when_it_is_released(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    slow = faults.Hold()
    fake_discord.faults.add("POST /interactions/*", slow)
    asked = await fake_discord.slash("video", {"prompt": "rain"})
    await slow.reached.wait()

    assert asked.message is not None
    assert not fake_discord.history.operations("callback")
    slow.release.set()
    await fake_discord.wait_for(lambda: fake_discord.history.operations("callback"))
    assert bot.errors.empty()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (api_errors.MISSING_ACCESS, 403),
        (api_errors.UNKNOWN_MESSAGE, 404),
        (api_errors.broken(503), 503),
    ],
)
async def test_a_refusal_from_the_table_reaches_the_bot(
    fake_discord: FakeDiscord, bot: Bot, refusal: api_errors.Refusal, status: int
) -> None:
    async def post(interaction: discord.Interaction, _audio: object) -> None:
        await bot.get_partial_messageable(interaction.channel_id or 0).send("hello")

    bot.script = post
    fake_discord.faults.add("POST /channels/*", refusal)
    assert (await failure(fake_discord, bot)).status == status


async def test_channels_enforce_the_bots_permissions(fake_discord: FakeDiscord, bot: Bot) -> None:
    world, said = fake_discord.world, fake_discord.say("hi")
    gone = world.add_channel(world.guild)
    world.remove_channel(gone)
    foreign = world.add_channel(world.add_guild("Elsewhere", installed=False))
    here = bot.get_partial_messageable(world.channel.id)
    mine = await here.send("mine")

    with pytest.raises(discord.NotFound, match="10003"):
        await bot.get_partial_messageable(gone.id).send("x")
    with pytest.raises(discord.Forbidden, match="50001"):
        await bot.get_partial_messageable(foreign.id).send("x")
    with pytest.raises(discord.Forbidden, match="50005"):
        await here.get_partial_message(said.id).edit(content="x")
    assert [message.content async for message in here.history(limit=10)] == ["mine", "hi"]
    assert (await here.fetch_message(mine.id)).content == "mine"
    await mine.delete()
    with pytest.raises(discord.NotFound, match="10008"):
        await mine.edit(content="x")
    assert fake_discord.history.messages[-1].deleted


async def test_an_ephemeral_answer_is_hidden_from_its_channel(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def whisper(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("psst", ephemeral=True)
        message = await interaction.original_response()
        await bot.get_partial_messageable(message.channel.id).fetch_message(message.id)

    bot.script = whisper
    assert (await failure(fake_discord, bot)).code == 10008


@pytest.mark.parametrize(
    "body",
    [
        {"content": "text", "components": [{"type": 10, "content": "x"}], "flags": 1 << 15},
        {"components": [{"type": 10, "content": "x"}]},
        {"components": [{"type": 1, "components": []}] * 6},
        {"components": [{"type": 10, "content": "x"}] * 41, "flags": 1 << 15},
        {"components": [{"type": 13, "file": {"url": "attachment://no.mp4"}}], "flags": 1 << 15},
        {"content": "x" * 2001},
        {"embeds": [{"description": "x" * 4000, "footer": {"text": "y" * 2001}}]},
        {"embeds": [{"fields": [{"name": "n", "value": "v" * 6000}]}]},
        {"components": [{"type": 1, "components": [{"type": 2, "custom_id": "a"}] * 2}]},
        {"content": "x", "attachments": [{"id": "7"}]},
        {"content": ""},
        "not an object",
    ],
)
async def test_a_message_that_discord_would_refuse_is_refused(tmp_path: Path, body: object) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        url = f"{fake_discord.url}/channels/{fake_discord.world.channel.id}/messages"
        async with session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["code"] in {50035, 50006}
        assert not fake_discord.history.messages


async def test_the_v2_flag_cannot_be_cleared_and_excludes_text(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    async def change(interaction: discord.Interaction, _audio: object) -> None:
        await interaction.response.send_message("text")
        await interaction.edit_original_response(content=None, view=Card("card"))
        await interaction.edit_original_response(content="text again")

    bot.script = change
    assert (await failure(fake_discord, bot)).code == 50035
    assert fake_discord.history.messages[0].text == "card"


async def test_requests_without_the_token_are_refused(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        for path, status in [("/users/@me", 401), ("/gateway", 200), ("/nowhere", 404)]:
            async with session.get(f"{fake_discord.url}{path}") as answer:
                assert answer.status == status
        async with session.post(f"{fake_discord.url}/users/@me/channels", data=b"{") as answer:
            assert (await answer.json())["code"] == 50109
        for frame, code in [("{", 4002), ('{"op": 3}', 4003), ('{"op": 2, "d": {}}', 4004)]:
            async with session.ws_connect(fake_discord.gateway_url) as socket:
                assert (await socket.receive_json())["op"] == 10
                await socket.send_str(frame)
                assert (await socket.receive()).data == code


async def test_addresses_of_unknown_resources_are_refused(tmp_path: Path) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        application = fake_discord.world.application_id
        asked: list[tuple[str, str, object, int]] = [
            ("GET", f"/applications/{application}/commands", None, 200),
            ("GET", "/applications/1/commands", None, 404),
            ("POST", "/users/@me/channels", {"recipient_id": "1"}, 404),
            ("POST", "/users/@me/channels", {"recipient_id": "me"}, 400),
            ("GET", "/channels/here/messages", None, 400),
            ("GET", "/channels/1/messages", None, 404),
            ("POST", "/interactions/1/token/callback", {"type": 4}, 404),
            ("GET", f"/webhooks/{application}/token/messages/@original", None, 404),
        ]
        for method, path, body, status in asked:
            call = session.request(method, fake_discord.url + path, json=body, headers=headers)
            async with call as answer:
                assert (path, answer.status) == (path, status)


@pytest.mark.parametrize(
    "callback",
    [
        {"type": 6},
        {"type": 7, "data": {"content": "no message to change"}},
        {"type": 8, "data": {"choices": []}},
    ],
)
async def test_an_answer_that_does_not_fit_its_interaction_is_refused(
    fake_discord: FakeDiscord, bot: Bot, callback: dict[str, Any]
) -> None:
    codes: asyncio.Queue[int] = asyncio.Queue()

    async def misfit(interaction: discord.Interaction, _audio: object) -> None:
        url = f"{fake_discord.url}/interactions/{interaction.id}/{interaction.token}/callback"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=callback) as answer,
        ):
            codes.put_nowait((await answer.json())["code"])

    bot.script = misfit
    await fake_discord.slash("video", {"prompt": "rain"})
    assert await asyncio.wait_for(codes.get(), 10) == 50035


@pytest.mark.parametrize(
    ("name", "size", "status"),
    [("payload_json", 1, 400), ("payload_json", 1_100_000, 413), ("file", 1, 400)],
)
async def test_a_multipart_body_that_cannot_be_parsed_is_refused(
    tmp_path: Path, name: str, size: int, status: int
) -> None:
    async with FakeDiscord(tmp_path) as fake_discord, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bot {fake_discord.token}"}
        url = f"{fake_discord.url}/channels/{fake_discord.world.channel.id}/messages"
        form = aiohttp.FormData()
        form.add_field(name, io.BytesIO(b"{" * size), filename="a")
        async with session.post(url, data=form, headers=headers) as answer:
            assert answer.status == status


async def test_a_user_can_attach_a_file_from_disk(
    fake_discord: FakeDiscord, bot: Bot, tmp_path: Path
) -> None:
    got: list[bytes] = []

    async def read(interaction: discord.Interaction, audio: discord.Attachment | None) -> None:
        assert audio is not None
        got.append(await audio.read())
        await interaction.response.send_message("thanks")

    bot.script = read
    voice = tmp_path / "voice"
    voice.write_bytes(VOICE)
    audio = Upload(filename="voice.ogg", content=voice)
    await fake_discord.answer_to(await fake_discord.slash("video", {"prompt": "x", "audio": audio}))
    assert got == [VOICE]


async def test_a_command_that_the_bot_does_not_offer_cannot_be_typed(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    del bot
    for name, options, reason in [
        ("picture", {}, "no command picture; known: video, admin"),
        ("video", {}, "requires prompt"),
        ("video", {"prompt": "x", "size": "1"}, "no option size"),
        ("video", {"prompt": "x", "audio": "text"}, "does not accept this as audio"),
        ("video now", {}, "no subcommand now"),
    ]:
        with pytest.raises(FakeDiscordError, match=reason):
            await fake_discord.slash(name, options)


async def test_choices_are_offered_while_a_user_types_an_option(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    @bot.tree.command(description="Find a clip")
    async def find(interaction: discord.Interaction, name: str, size: str = "") -> None:
        raise NotImplementedError

    @find.autocomplete("name")
    async def offer(
        _interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=typed * 2, value=typed)] if typed else []

    await bot.tree.sync()
    assert await fake_discord.complete("find", "name", "ra") == [{"name": "rara", "value": "ra"}]
    assert await fake_discord.complete("find", "name", "") == []
    for option, reason in [("size", "has no autocomplete for size"), ("sort", "no option sort")]:
        with pytest.raises(FakeDiscordError, match=reason):
            await fake_discord.complete("find", option, "ra")


async def test_an_autocomplete_can_only_be_answered_with_choices(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    refused: asyncio.Queue[int] = asyncio.Queue()

    @bot.tree.command(description="Find a clip")
    async def find(interaction: discord.Interaction, name: str) -> None:
        raise NotImplementedError

    @find.autocomplete("name")
    async def offer(
        interaction: discord.Interaction, _typed: str
    ) -> list[app_commands.Choice[str]]:
        with pytest.raises(discord.HTTPException) as error:
            await interaction.response.send_message("no choice")
        refused.put_nowait(error.value.code)
        return []

    await bot.tree.sync()
    assert await fake_discord.complete("find", "name", "x") == []
    assert await refused.get() == 50035


async def test_a_command_is_chosen_from_a_messages_menu(
    fake_discord: FakeDiscord, bot: Bot
) -> None:
    @bot.tree.context_menu(name="Count letters")
    async def count(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.id}: {len(message.content)}")

    await bot.tree.sync()
    said = fake_discord.say("rain")
    answer = await fake_discord.answer_to(await fake_discord.choose("Count letters", said))
    assert answer.text == f"{said.id}: 4"
    with pytest.raises(FakeDiscordError, match="no message command video; known: Count letters"):
        await fake_discord.choose("video", said)


async def test_without_a_bot_nothing_can_be_typed(fake_discord: FakeDiscord) -> None:
    fake_discord.world.sync([{"name": "video", "description": "x"}])
    with pytest.raises(FakeDiscordError, match="no bot has logged in"):
        await fake_discord.slash("video")


async def test_a_timeout_names_the_last_requests(fake_discord: FakeDiscord, bot: Bot) -> None:
    del bot
    with pytest.raises(TimeoutError, match=r"PUT /applications/\{application_id\}/commands 200"):
        await fake_discord.wait_for(lambda: None, within=0.01)


async def test_faults_can_be_removed(fake_discord: FakeDiscord, bot: Bot) -> None:
    fake_discord.close_dms()
    fake_discord.faults.clear()
    dm = await bot.create_dm(discord.Object(fake_discord.world.user.id))
    await dm.send("hello")
    assert [message.text for message in fake_discord.dms()] == ["hello"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"template": "/nowhere"}, "Discord has no POST /nowhere"),
        ({"path": "/channels/here/messages"}, "channel_id"),
        ({"path": "/channels"}, "does not match /channels"),
        ({"query": {"wait": "1"}}, "has no parameter"),
        ({"json": {"content": 5}}, "content"),
        ({"json": None}, "needs a body"),
        ({"json": {"attachments": [{"id": 0}, {"id": 1}]}}, "are not the files"),
        ({"method": "GET"}, "allows no body"),
        ({"method": "GET", "json": None, "query": {"limit": "many"}}, "limit=many"),
        ({"method": "GET", "json": None, "query": {"limit": "101"}}, "limit=101"),
        ({"status": 201}, "not answered with 201"),
    ],
)
async def test_a_request_that_discord_does_not_allow_is_reported(
    fake_discord: FakeDiscord, bot: Bot, change: dict[str, Any], complaint: str
) -> None:
    await bot.get_partial_messageable(fake_discord.world.channel.id).send(
        "clip", file=discord.File(io.BytesIO(CLIP), "a.mp4")
    )
    good = fake_discord.history.requests[-1]
    check(good)
    with pytest.raises(AssertionError, match=complaint):
        check(dataclasses.replace(good, **change))


async def test_each_change_of_a_message_is_reported(tmp_path: Path) -> None:
    told: list[str] = []

    def tell(message: Message) -> None:
        told.append("deleted" if message.deleted else message.text)

    async with FakeDiscord(tmp_path, on_message=tell) as fake_discord:
        message = fake_discord.say("one")
        fake_discord.messages.edit(message, {"content": "two"})
        fake_discord.messages.delete(message)

    assert told == ["one", "two", "deleted"]
